"""The answer of a run while it comes: what the stream log has of it, and in the end what its result says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any, cast

import structlog
from pydantic import JsonValue
from temporalio.service import RPCError

from continuo.client.results import Ended, brief, in_full
from continuo.config.settings import Settings, environment
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.door import Answered, PlainRun, Run
from continuo.errors import InputError
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Failure, Outcome
from continuo.protection.replaced_deltas import ReplacedDeltas
from continuo.stores.opened import opened_streams
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

    def __init__(self, streams: StreamLog, id: str, run: Ended, result: "asyncio.Future[Outcome | Failure]") -> None:
        """`id` is the run's, and its `result` a brief one."""
        self._streams = streams
        self._id = id
        self._run = run
        self._result = result
        self._shown = Shown()
        self._count = 0
        self._first: list[Delta] | None = None
        self._warned = False
        self._watching = ExitStack()
        self._news = self._watching.enter_context(streams.watched(id))

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
        yield await self._end(account)

    def close(self) -> None:
        self._watching.close()

    async def _end(self, account: Callable[[Outcome], Mapping[str, JsonValue]]) -> list[Piece]:
        try:
            result = await in_full(self._run, self._result.result())
        except RPCError:
            return [Broken(LOST)]
        if isinstance(result, Failure):
            return [Broken(result.cause, status_of(result).code)]
        rest = self._shown.rest(result)
        if rest is None:
            log.warning("an answer is not the one that was streamed", run=self._id)
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
            return await self._streams.read(self._id, self._count)
        except Exception as error:
            # Whatever it is: the answer does not depend on it.
            if not self._warned:
                log.warning("the stream log is broken", error=f"{type(error).__name__}: {error}")
            self._warned = True
            return []


async def restored_pieces(pieces: AsyncIterator[list[Piece]], private: Restoring) -> AsyncIterator[list[Piece]]:
    """The pieces with the values, held back where a placeholder may have begun."""
    shown = ReplacedDeltas(private.restored, private.sure, private.restored_arguments)
    async for batch in pieces:
        made: list[Piece] = []
        for piece in batch:
            if isinstance(piece, TextDelta | ReasoningDelta | ToolDelta):
                made += shown.feed(piece)
            else:
                made += [*shown.finish(), _ending(piece, private)]
        # None at all says that the stream lives.
        if made or not batch:
            yield made


def _ending(piece: Any, private: Restoring) -> Piece:
    if isinstance(piece, Broken):
        return replace(piece, message=private.restored(piece.message))
    ending: Piece = piece
    return ending


async def texts(run: Run | PlainRun | Answered) -> AsyncIterator[str]:
    """The text of the run's answer as it comes, from its beginning; of one that was not asked to be streamed it comes
    at its end. Behind a run that fails there is no more. Raises `InputError` where it cannot be followed."""
    restoring = Restoring({})
    if isinstance(run, Run) and run.restoring is not None:
        # What is kept has placeholders.
        restoring, run = await run.restoring(), replace(run, restoring=None)
    result = asyncio.ensure_future(brief(run))
    try:
        async with opened_streams(Settings(), environment()) as streams:
            following = Following(streams, await _first_run_id(run), run, result)
            with closing(following):
                async for batch in restored_pieces(following.pieces(lambda outcome: {}), restoring):
                    for piece in batch:
                        if isinstance(piece, TextDelta):
                            yield piece.text
                        elif isinstance(piece, Broken) and not isinstance(await result, Failure):
                            raise InputError(piece.message)
    finally:
        result.cancel()


async def _first_run_id(run: Run | PlainRun | Answered) -> str:
    """Under which its pieces are kept: that of the first workflow, if others went on with it."""
    if not isinstance(run, Run):
        return run.run_id or run.id
    return (await run.handle.describe()).raw_description.workflow_execution_info.first_run_id
