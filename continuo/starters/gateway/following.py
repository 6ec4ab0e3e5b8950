"""The answer of a run while it comes: what the stream log has of it, and in the end what its result says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from typing import cast

import structlog
from pydantic import JsonValue
from temporalio.service import RPCError

from continuo.deltas import Delta
from continuo.jobs import Failure, Outcome
from continuo.stores.streams import StreamLog
from continuo.wire.errors import status_of
from continuo.wire.pieces import Broken, Piece, end
from continuo.wire.shown import Shown

log = structlog.get_logger()

KEEP_ALIVE = 10.0
"""Seconds without a piece after which a stream tells that it lives."""

LOST = "the run cannot be followed now; ask again, and it is found"
OTHER = "stream_broken: the answer is not the one that was begun; ask again for it"


class Following:
    """The pieces of one run, from its first. They are read when they are asked for, so that none heap up."""

    def __init__(self, streams: StreamLog, run: str, result: "asyncio.Future[Outcome | Failure]") -> None:
        self._streams = streams
        self._run = run
        self._result = result
        self._shown = Shown()
        self._count = 0
        self._first: list[Delta] | None = None
        self._warned = False
        self._watching = ExitStack()
        self._news = self._watching.enter_context(streams.watched(run))

    async def begin(self, patience: float) -> None:
        """Wait until there is a piece or the result, at most so many seconds."""
        self._first = await self._more(patience)

    @property
    def begun(self) -> bool:
        """Whether there was a piece."""
        return bool(self._first)

    async def pieces(self, account: Callable[[Outcome], Mapping[str, JsonValue]]) -> AsyncIterator[list[Piece]]:
        """The pieces as they come, those together that came together; none where none came for `KEEP_ALIVE`.

        What the log did not have comes out of the result. The last one is an `End`, or says why there is none.
        """
        batch = self._first
        while batch is None or batch:
            for piece in batch or ():
                self._shown.add(piece)
            yield [*(batch or ())]
            batch = await self._more(KEEP_ALIVE)
        yield self._end(account)

    def close(self) -> None:
        self._watching.close()

    def _end(self, account: Callable[[Outcome], Mapping[str, JsonValue]]) -> list[Piece]:
        try:
            result = self._result.result()
        except RPCError:
            return [Broken(LOST)]
        if isinstance(result, Failure):
            return [Broken(result.cause, status_of(result).code)]
        rest = self._shown.rest(result)
        if rest is None:
            log.warning("an answer is not the one that was streamed", run=self._run)
            return [Broken(OTHER, "stream_broken")]
        return [*rest, end(result, account(result))]

    async def _more(self, patience: float) -> list[Delta] | None:
        """The next pieces of the log; none when there will be no more, None where there were none for so long."""
        while True:
            # In this order: what is appended meanwhile is found by the next look.
            ended = self._result.done()
            self._news.clear()
            batch = await self._read()
            self._count += len(batch)
            if batch or ended:
                return batch
            news: asyncio.Future[object] = asyncio.ensure_future(self._news.wait())
            try:
                waited = {news, cast("asyncio.Future[object]", self._result)}
                done, _ = await asyncio.wait(waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()
            if not done:
                return None

    async def _read(self) -> list[Delta]:
        try:
            return await self._streams.read(self._run, self._count)
        except Exception as error:
            # Whatever it is: the answer does not depend on it.
            if not self._warned:
                log.warning("the stream log is broken", error=f"{type(error).__name__}: {error}")
            self._warned = True
            return []
