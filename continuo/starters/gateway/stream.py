"""An answer as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from continuo.starters.gateway.runs import Answering
from continuo.wire.pieces import Piece

EARLY = 5.0
"""Seconds for which the first piece is waited for before the response begins: what fails by then is an error with a
status, which the SDKs know how to repeat."""


class Events(Protocol):
    """What makes events of pieces, in each dialect."""

    def feed(self, piece: Piece) -> Iterator[bytes]: ...


async def streamed(answering: Answering, events: Events, start: bytes, ping: bytes) -> Response:
    """The response: `start`, what `events` makes of the pieces, and `ping` where none comes.

    Raises `WireError` for a run that fails early, and `ClientLeft`.
    """
    await answering.begun(EARLY)
    return EventStream(answering, events, start, ping)


class EventStream(Response):
    """Cancels its run when the client leaves. A slow reader is waited for, so that nothing heaps up here."""

    media_type = "text/event-stream"

    def __init__(self, answering: Answering, events: Events, start: bytes, ping: bytes) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no", **answering.headers})
        del self.headers["content-length"]
        self._answering = answering
        self._events = events
        self._start = start
        self._ping = ping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(self._answering.client_left())
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                await self._answering.left()
                return
            sending.result()
            # Only now: who has been sent the end looks like one who leaves.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await self._answering.finished()
        finally:
            sending.cancel()
            leaving.cancel()
            await self._answering.release()

    async def _send(self, send: Send) -> None:
        async for chunk in self._chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield self._start
        async for piece in self._answering.pieces():
            if piece is None:
                yield self._ping
            elif chunk := b"".join(self._events.feed(piece)):
                yield chunk
