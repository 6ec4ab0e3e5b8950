"""The stream log: the pieces of answers while they come, written by the calls and read by the gateways.

An answer does not depend on it: that is journalled, and what the log has lost comes with the run's end.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta

MAX_BYTES = 16 * 2**20
"""Bytes of the pieces of a run, in their JSON: what comes after them is in the answer alone."""

PORTION, PORTION_BYTES = 64, 2**18
"""Batches read at a time, and about so many bytes of them, so that who reads slowly has no more in memory."""


@dataclass(frozen=True)
class Writer:
    """An attempt of the call at `path`, of the run with this run id."""

    run: str
    path: str
    attempt: int


class Claim(NamedTuple):
    """How many pieces stand in the log already, and whether they are of earlier attempts of the `same` call."""

    pieces: int
    same: bool


class StreamLog(Protocol):
    """The pieces of each run, counted from 1. Raises what `Place.broken` names where it cannot be used now."""

    async def claim(self, writer: Writer, now: float) -> Claim:
        """From now on this attempt alone may append, unless a later one of its call came before it, or there are pieces
        of another call; what those before it have left there."""

    async def append(self, writer: Writer, after: int, pieces: Sequence[Delta], now: float) -> bool:
        """Keep the pieces behind the first `after`, together; False, and none is kept, where it may not append, where
        the log does not end there, or where it is full. Nobody reads what a crash of the store may lose as the first.
        """

    async def read(self, run: str, after: int) -> list[Delta]:
        """Some of the pieces behind the first `after`, in order; none where there are none yet."""

    def watched(self, run: str) -> AbstractContextManager[asyncio.Event]:
        """Inside, the event is set whenever there may be more pieces of the run, and by whoever waits cleared."""

    async def forget(self, runs: Sequence[str], *, dry_run: bool) -> int:
        """Drop these runs; how many of them there were."""

    async def prune(self, now: float, *, dry_run: bool) -> int:
        """Drop the runs to which nothing was added for as long as they are kept; how many they are."""


class Watches:
    """Who waits in this process for more of which run."""

    def __init__(self) -> None:
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._any = asyncio.Event()

    @contextmanager
    def watched(self, run: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._events[run].add(event)
        self._any.set()
        try:
            yield event
        finally:
            self._events[run].discard(event)
            if not self._events[run]:
                del self._events[run]
            if not self._events:
                self._any.clear()

    async def wanted(self) -> None:
        """Return as soon as anybody waits."""
        await self._any.wait()

    def tell(self, run: str) -> None:
        """There may be more of this run."""
        for event in self._events.get(run, ()):
            event.set()

    def tell_all(self) -> None:
        """There may be more of any."""
        for run in self._events:
            self.tell(run)


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Inside, the work goes on; at the end it is cancelled."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def encoded(pieces: Sequence[Delta]) -> bytes:
    """As JSON: a list for each piece, its kind first."""
    return orjson.dumps([_listed(piece) for piece in pieces])


def decoded(content: bytes | str) -> list[Delta]:
    return [_KINDS[kind](*fields) for kind, *fields in orjson.loads(content)]


def behind(rows: Sequence[tuple[int, bytes | str]], after: int) -> list[Delta]:
    """The pieces of batches, each with the number of its last one, without those up to the number `after`: of the first
    ones that are a portion."""
    kept: list[Delta] = []
    size = 0
    for last, content in rows:
        pieces = decoded(content)
        kept += pieces[max(0, after - (last - len(pieces))) :]
        size += len(content)
        if kept and size >= PORTION_BYTES:
            break
    return kept


_KINDS: dict[str, Any] = {"text": TextDelta, "reasoning": ReasoningDelta, "tool": ToolDelta}


def _listed(piece: Delta) -> list[Any]:
    match piece:
        case TextDelta():
            return ["text", piece.text]
        case ReasoningDelta():
            return ["reasoning", piece.text, piece.signature, piece.protocol, piece.redacted]
        case ToolDelta():
            return ["tool", piece.index, piece.id, piece.name, piece.arguments, piece.signature]
