"""Every error of the gateway as the SDK of its path makes a typed exception of it."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError

from continuo.access.oidc import IssuerUnavailable
from continuo.errors import NoServer
from continuo.starters.gateway.runs import ClientLeft, Later
from continuo.stores.database import StoreUnavailable
from continuo.wire import anthropic
from continuo.wire.errors import WireError
from continuo.wire.openai_errors import error as openai_error

log = structlog.get_logger()

AWAY = (NoServer, RPCError, StoreUnavailable, IssuerUnavailable)
"""Raised where something that is needed does not answer now."""

SOON = {"x-should-retry": "true", "retry-after": "1", "retry-after-ms": "1000"}
FINAL = {"x-should-retry": "false"}
"""What the SDKs heed: without it they repeat every 409, 429 and 5xx."""


async def answer(http: Request, error: Exception) -> Response:
    """The response to a request that raised this, and keeps no place then."""
    if (answering := http.scope.get("answering")) is not None:
        await answering.release()
    match error:
        case Later():
            return error_response(http, error.status, str(error), code=error.code, headers={**FINAL, **error.headers})
        case WireError():
            return error_response(http, error.status, error.message, param=error.param, code=error.code, headers=FINAL)
        case HTTPException():
            headers = {**FINAL, **(error.headers or {})}
            return error_response(http, error.status_code, _message(http, error), code="not_served", headers=headers)
        case ClientLeft() | ClientDisconnect():
            # Nobody reads it; it is for the access log.
            return Response(status_code=499)
        case error if isinstance(error, AWAY):
            log.warning("something that is needed is away", path=http.url.path, error=f"{error}")
            return error_response(
                http, 503, "the service is not available now; try again", code="unavailable", headers=SOON
            )
    log.error("a request failed by a mistake of ours", path=http.url.path, exc_info=error)
    return error_response(http, 500, "a mistake of ours; its log has more under this request id", code="internal_error")


def error_response(
    http: Request,
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] = FINAL,
) -> Response:
    """The error in the form of the path's API, without what the limits of headers do not allow."""
    id = http.scope.get("request_id")
    if http.url.path.startswith("/v1/messages") or "anthropic-version" in http.headers:
        body = anthropic.error(status, message, param=param, code=code, request_id=id)
    else:
        body = openai_error(status, message, param=param, code=code)
    return JSONResponse(body, status, headers)


def _message(http: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"{http.method} {http.url.path} is not served here; see docs/gateway.md"
    if error.status_code == 405:
        return f"{http.method} is not served at {http.url.path}"
    return error.detail
