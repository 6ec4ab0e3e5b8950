"""The pieces of a call's answer on their way to the stream log, as they come. A log that fails fails no call."""

import asyncio
import time

import structlog

from continuo.activities.errors import unless_broken
from continuo.decisions.confidence import Unrated
from continuo.decisions.continuing import Seam, begun_text
from continuo.deltas import Delta, TextDelta
from continuo.errors import ProviderError
from continuo.jobs import Job
from continuo.patterns import Call
from continuo.stores.streams import StreamLog, Writer

log = structlog.get_logger()


class Delivery:
    """What one attempt writes. While a batch is being written the next one gathers.

    An attempt that `goes_on` writes behind the `count` pieces, together the text `begun`, of those before it.
    """

    def __init__(self, streams: StreamLog, writer: Writer, *, rated: bool, begun: str = "", count: int = 0) -> None:
        self.begun = begun
        self.goes_on = count > 0
        self._streams = streams
        self._writer = writer
        self._seam = Seam(begun)
        self._unrated = Unrated() if rated else None
        if self._unrated:
            # All of it was shown.
            self._unrated.shown(begun)
        self._count = count
        self._gathered: list[Delta] = []
        self._writing: asyncio.Task[None] | None = None
        self._ended = False
        self._delivered = self.goes_on

    def add(self, piece: Delta) -> None:
        """Write it soon. What may yet be the rating of a rated answer is held back."""
        if isinstance(piece, TextDelta):
            text = self._seam.new(piece.text)
            piece = TextDelta(self._unrated.shown(text) if self._unrated else text)
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
        if self._writing is not None:
            await self._writing
        return self._delivered

    async def drop(self) -> bool:
        """The same for an attempt that failed, of which nothing is written unless some was before."""
        if not self._delivered:
            self._gathered.clear()
        return await self.finish()

    async def _write(self) -> None:
        while self._gathered and not self._ended:
            batch, self._gathered = self._gathered, []
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
    writer, rated = Writer(job.stream, job.path, attempt), job.request.rated
    claim = await unless_broken("the stream log", streams.claim(writer, time.time()))
    if claim is None and continues and attempt > 1:
        raise _unread(retryable=True)
    if claim is None:
        return None
    if not claim.pieces:
        return Delivery(streams, writer, rated=rated)
    goes_on = claim.same and continues
    text = begun_text(job.request, await _read(streams, writer.run, claim.pieces)) if goes_on else None
    if text is None:
        message = "the answer broke off after some of it was delivered, and is not begun anew; ask again"
        raise ProviderError("stream_broken", message)
    return Delivery(streams, writer, rated=rated, begun=text, count=claim.pieces)


async def _read(streams: StreamLog, run: str, count: int) -> list[Delta]:
    kept: list[Delta] = []
    while len(kept) < count:
        pieces = await unless_broken("the stream log", streams.read(run, len(kept)))
        if not pieces:
            raise _unread(retryable=pieces is None)
        kept += pieces
    return kept


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
