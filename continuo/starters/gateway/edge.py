"""What stands before every request: an id, limits of size and time, and a line in the log without its content."""

import asyncio
import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from continuo.operations.metrics import Meter
from continuo.starters.gateway.spans import described, request_span
from continuo.wire.errors import WireError

log = structlog.get_logger()

MAX_BODY = 32 * 1024 * 1024
"""Bytes: the largest medium as base64, and the text around it."""

BODY_TIME = 60.0
"""Seconds in which a body must have come."""


class Edge:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id, started, status = f"req_{uuid4().hex}", time.monotonic(), 0
        scope["request_id"] = id

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = id
                headers["request-id"] = id
            await send(message)

        with request_span(scope) as span:
            try:
                await self._app(scope, bounded(scope, receive), sending)
            finally:
                described(span, scope, status)
                seconds, route = time.monotonic() - started, getattr(scope.get("route"), "path", "")
                Meter.requested(scope["method"], route, status, seconds)
                log.info(
                    "request",
                    request_id=id,
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    duration_ms=round(seconds * 1000, 3),
                    key=scope.get("key_id"),
                )


def bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive`, which raises `WireError` for a body that is too large, or too slow."""
    size, deadline, whole = 0, time.monotonic() + BODY_TIME, False
    length = dict(scope["headers"]).get(b"content-length", b"")

    async def receiving() -> Message:
        nonlocal size, whole
        if whole:
            # What comes now says that the client has gone, whenever it does.
            return await receive()
        if length.isdigit() and int(length[:20]) > MAX_BODY:
            raise _too_large()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise WireError(408, f"the body did not come within {BODY_TIME:.0f} s", code="body_timeout") from None
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > MAX_BODY:
            raise _too_large()
        return message

    return receiving


def _too_large() -> WireError:
    return WireError(413, f"the body is larger than {MAX_BODY:,} bytes", code="body_too_large")
