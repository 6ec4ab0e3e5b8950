"""An answer as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from continuo.client.following import OTHER, restored_pieces
from continuo.starters.gateway.choices import Followed
from continuo.starters.gateway.runs import Answering
from continuo.wire.pieces import Broken, Piece

EARLY = 5.0
"""Seconds for which the first piece is waited for before the response begins: what fails by then is an error with a
status, which the SDKs know how to repeat."""


class Events(Protocol):
    """What makes events of pieces, in each dialect."""

    def feed(self, piece: Piece) -> Iterator[bytes]: ...


async def streamed(
    answering: Answering, events: Events, start: Iterable[bytes], ping: bytes, *, after: int = 0
) -> Response:
    """The response: `start`, what `events` makes of the pieces, and `ping` where none comes; without the first `after`
    events, which are the same whenever the stream of a run is read.

    Raises `WireError` for a run that fails early, and `ClientLeft`.
    """
    following = await answering.begun(EARLY)
    return EventStream(answering, following, events, start, ping, after)


class EventStream(Response):
    """Cancels its run when the client leaves. A slow reader is waited for, so that nothing heaps up here."""

    media_type = "text/event-stream"

    def __init__(
        self,
        answering: Answering,
        following: Followed,
        events: Events,
        start: Iterable[bytes],
        ping: bytes,
        after: int,
    ) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no", **answering.headers})
        del self.headers["content-length"]
        self._answering = answering
        self._following = following
        self._events = events
        self._start = start
        self._ping = ping
        self._after = after

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
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _chunks(self) -> AsyncIterator[bytes]:
        """What is sent at once: the events of all pieces that have come."""
        yield self._unread(self._start)
        following = self._following.pieces(self._answering.account)
        async for pieces in restored_pieces(following, self._answering.private):
            if pieces:
                yield self._unread(event for piece in pieces for event in self._events.feed(piece))
            else:
                yield self._ping
        if self._after:
            # It had come in more pieces than are known now: to send nothing would look like the end.
            yield b"".join(self._events.feed(Broken(OTHER, "stream_broken")))

    def _unread(self, events: Iterable[bytes]) -> bytes:
        all_events = list(events)
        unread = all_events[self._after :]
        self._after = max(0, self._after - len(all_events))
        return b"".join(unread)
