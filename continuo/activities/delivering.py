"""The pieces of a call's answer on their way to the stream log, as they come. A log that fails fails no call."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from continuo.activities.errors import unless_broken
from continuo.decisions.agent import BREAK
from continuo.decisions.confidence import Unrated
from continuo.decisions.continuing import Seam, begun_text
from continuo.deltas import Delta, TextDelta
from continuo.errors import ProviderError
from continuo.guardrails.checks.deltas import Passing
from continuo.jobs import Job
from continuo.patterns import Call
from continuo.patterns.guard import Hold
from continuo.stores.streams import Claim, StreamLog, Writer

log = structlog.get_logger()

TURN = 10_000
"""Between the numbers of the attempts of one turn of an agent and of the next: more attempts than a call has. The log
takes the latest."""


class Delivery:
    """What one attempt writes. While a batch is being written the next one gathers.

    It writes behind `count` pieces. An attempt that `goes_on` does so behind the text `begun`, of those before it.
    Pieces pass the checks of what is `held`. Of an agent's `turn` the text alone is delivered, behind the `lead`: what
    it thinks and calls is no part of the answer.
    """

    def __init__(
        self,
        streams: StreamLog,
        writer: Writer,
        *,
        rated: bool,
        held: Iterable[Hold] = (),
        begun: str = "",
        count: int = 0,
        turn: bool = False,
        lead: str = "",
    ) -> None:
        self.begun = begun
        self.goes_on = bool(begun)
        self._streams = streams
        self._writer = writer
        self._seam = Seam(begun)
        self._unrated = Unrated() if rated else None
        if self._unrated:
            # All of it was shown.
            self._unrated.shown(begun)
        self._passing = Passing(held, begun)
        self._turn = turn
        self._lead = lead
        self._count = count
        self._gathered: list[Delta] = []
        self._writing: asyncio.Task[None] | None = None
        self._ended = False
        self._delivered = self.goes_on

    def add(self, piece: Delta) -> None:
        """Write it soon. What may yet be the rating of a rated answer is held back."""
        if isinstance(piece, TextDelta):
            text = self._seam.new(piece.text)
            text = self._unrated.shown(text) if self._unrated else text
            if text:
                text, self._lead = self._lead + text, ""
            piece = TextDelta(text)
        elif self._turn:
            return
        if self._ended or piece == TextDelta(""):
            return
        last = self._gathered[-1] if self._gathered else None
        if isinstance(last, TextDelta) and isinstance(piece, TextDelta):
            self._gathered[-1] = TextDelta(last.text + piece.text)
        else:
            self._gathered.append(piece)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def finish(self) -> bool:
        """Write what is left; whether the log has anything of the call."""
        await self._written()
        await self._append(self._passing.finish())
        return self._delivered

    async def drop(self) -> bool:
        """The same for an attempt that failed, of which nothing is written unless some was before."""
        if not self._delivered:
            self._gathered.clear()
        # What is held back stays so: it may be half of what nobody is to see.
        await self._written()
        return self._delivered

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._gathered:
            batch, self._gathered = self._gathered, []
            await self._append(self._passing.feed(batch))

    async def _append(self, batch: Sequence[Delta]) -> None:
        if self._ended or not batch:
            return
        try:
            kept = await self._streams.append(self._writer, self._count, batch, time.time())
        except Exception as error:
            # Perhaps it was kept all the same.
            kept, self._ended = True, True
            log.warning("the stream log is broken", error=f"{type(error).__name__}: {error}")
        self._ended |= not kept
        self._delivered |= kept
        self._count += len(batch)


async def begun(streams: StreamLog, job: Job, attempt: int) -> Delivery | None:
    """The delivery of this attempt; None where nobody wants the pieces of its answer, or the log is broken.

    Raises `ProviderError` of kind `stream_broken` where some of an answer was delivered that this attempt cannot go on
    with: none may come behind it. So it does where the log cannot tell what an earlier one left to go on with.
    """
    if job.stream is None:
        return None
    assert isinstance(job.step, Call)
    continues = job.step.on_break == "continue"
    writer = Writer(job.stream, job.path, job.turn * TURN + attempt)
    claim = await unless_broken("the stream log", streams.claim(writer, time.time()))
    if claim is None and continues and attempt > 1:
        raise _unread(retryable=True)
    if claim is None:
        return None
    delivery = partial(Delivery, streams, writer, rated=job.request.rated, held=job.held, turn=bool(job.turn))
    if job.said:
        return await _behind(streams, job, claim, delivery)
    if not claim.pieces:
        return delivery()
    goes_on = claim.same and continues
    text = begun_text(job.request, await _read(streams, writer.run, claim.pieces)) if goes_on else None
    if text is None:
        raise _begun_before()
    return delivery(begun=text, count=claim.pieces)


async def _behind(streams: StreamLog, job: Job, claim: Claim, delivery: Callable[..., Delivery]) -> Delivery | None:
    """That of a turn of an agent which has said something in those before; None where the log does not have all of
    that as it was said: what is missing comes with the run's end."""
    assert isinstance(job.step, Call)
    assert job.stream is not None
    if job.held or not claim.same:
        return None
    pieces = await _read(streams, job.stream, claim.pieces)
    said = "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
    own = said[job.said :].removeprefix(BREAK)
    if len(said) < job.said:
        return None
    if not own:
        return delivery(count=claim.pieces, lead=BREAK)
    if job.step.on_break != "continue" or begun_text(job.request, [TextDelta(own)]) is None:
        raise _begun_before()
    return delivery(begun=own, count=claim.pieces)


async def _read(streams: StreamLog, run: str, count: int) -> list[Delta]:
    kept: list[Delta] = []
    while len(kept) < count:
        pieces = await unless_broken("the stream log", streams.read(run, len(kept)))
        if not pieces:
            raise _unread(retryable=pieces is None)
        kept += pieces
    return kept


def _begun_before() -> ProviderError:
    message = "the answer broke off after some of it was delivered, and is not begun anew; ask again"
    return ProviderError("stream_broken", message)


def _unread(*, retryable: bool) -> ProviderError:
    message = "the answer broke off, and what was delivered of it cannot be read"
    return ProviderError("stream_broken", message, retryable=retryable)


def broken(error: ProviderError, job: Job) -> ProviderError:
    """The end of an attempt that failed after some of its answer was delivered: no other answer follows, and another
    attempt only to go on with it."""
    assert isinstance(job.step, Call)
    retryable = error.retryable and job.step.on_break == "continue"
    message = str(error) if retryable else f"{error}; some of the answer was delivered, and no other follows it"
    return ProviderError(
        "stream_broken",
        message,
        status=error.status,
        retryable=retryable,
        retry_after=error.retry_after,
        usage=error.usage,
    )
