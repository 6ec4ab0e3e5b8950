"""Signing in by an API key that has a role, and out again."""

import secrets
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from continuo.access.limits import Refused
from continuo.protection.api_keys import ApiKey, parsed_secret
from continuo.starters.gateway.errors import AWAY
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.ui.render import rendered
from continuo.starters.gateway.ui.visits import COOKIE, HOME, Unserved, Visit, form_of, page, problem
from continuo.stores.sessions import Sessions

LASTS = 8 * 3600
"""Seconds of a session."""

TRIES = 10
"""Attempts to sign in from one address in a minute, at all gateways together."""


async def show(http: Request) -> Response:
    return rendered("sign_in.html", why=None)


async def sign_in(http: Request) -> Response:
    gateway: Gateway = http.app.state.gateway
    try:
        fields = await form_of(http)
        if (wait := await _refusal(gateway, http)) is not None:
            return rendered("sign_in.html", 429, why=f"too many attempts; try again in {wait.retry_after:.0f} s")
        secret = parsed_secret(fields.get("key", "").strip())
        key = await gateway.ring.proven(secret.proof) if secret else None
        if secret is None or key is None:
            return rendered("sign_in.html", 401, why="this key opens nothing here")
        if not key.has_role("viewer"):
            return rendered("sign_in.html", 403, why="this key has no role; make one: continuo keys create --role")
        token, now = secrets.token_urlsafe(32), time.time()
        await Sessions(gateway.store).create(token, secret.proof, now, now + LASTS)
    except Unserved as error:
        return problem(error.status, str(error))
    except AWAY:
        return problem(503, "nobody can sign in now, since the store is away; try again")
    response = RedirectResponse(f"{HOME}/", 303)
    _set(http, response, token, LASTS)
    return response


@page()
async def sign_out(visit: Visit) -> Response:
    await Sessions(visit.gateway.store).end(visit.http.cookies[COOKIE])
    response = RedirectResponse(f"{HOME}/sign-in", 303)
    _set(visit.http, response, "", 0)
    return response


def _set(http: Request, response: Response, token: str, seconds: int) -> None:
    # By what the browser says: the gateway does not see that a proxy speaks https.
    secure = urlsplit(http.headers.get("origin", "")).scheme == "https"
    response.set_cookie(COOKIE, token, max_age=seconds, path=HOME, secure=secure, httponly=True, samesite="strict")


async def _refusal(gateway: Gateway, http: Request) -> Refused | None:
    """Whether the address has tried too often; it is counted as a key is."""
    host = http.client.host if http.client else ""
    who = ApiKey(
        id=f"sign-in/{host}", name="sign-in", tenant="default", created=datetime.now(UTC), requests_per_minute=TRIES
    )
    admitted = await gateway.limits.admit(who, 0)
    return admitted if isinstance(admitted, Refused) else None
