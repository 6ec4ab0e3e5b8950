"""How an answer leaves: marked as simulated, streamed, or broken off."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from continuo.simulator.behaviour import Call

SIMULATED = {"x-continuo-simulated": "true"}


class ConnectionBroken(Exception):
    """Makes the server drop the connection where it is."""


class EventStream(StreamingResponse):
    """Server-sent events. `call` is told when all of them are out, or that the client left before.

    With `cut` only the first half of them is sent, and the stream ends as if that were all. `pace` and `breaks_after`
    are as in `Behaviour`.
    """

    def __init__(
        self, events: list[str], call: Call, *, cut: bool, pace: float = 0.0, breaks_after: int | None = None
    ) -> None:
        super().__init__(self._sent(events, cut, pace, breaks_after), headers=SIMULATED, media_type="text/event-stream")
        self._call = call
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
        self._call.disconnected = not self._ended

    async def _sent(self, events: list[str], cut: bool, pace: float, breaks_after: int | None) -> AsyncIterator[str]:
        for number, event in enumerate(events[: len(events) // 2] if cut else events):
            if number == breaks_after:
                raise ConnectionBroken
            if pace:
                await asyncio.sleep(pace)
            yield event
            # uvicorn swallows what is sent to a client that left: the task that hears of it needs a turn of its own.
            await asyncio.sleep(0)
        self._ended = True
        # Before the stream's own end goes out: whoever has seen that may ask for the call at once.
        self._call.answered = not cut


def broken_off(text: str) -> StreamingResponse:
    """An answer whose connection is dropped after `text`."""
    return StreamingResponse(_broken_off(text), headers=SIMULATED, media_type="application/json")


async def _broken_off(text: str) -> AsyncIterator[str]:
    yield text
    raise ConnectionBroken
