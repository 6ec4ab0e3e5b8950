"""The pieces of a call's answer on their way to the stream log, as they come. A log that fails fails no call."""

import asyncio
import time

import structlog

from continuo.activities.errors import unless_broken
from continuo.decisions.confidence import Unrated
from continuo.deltas import Delta, TextDelta
from continuo.errors import ProviderError
from continuo.jobs import Job
from continuo.stores.streams import StreamLog, Writer

log = structlog.get_logger()


class Delivery:
    """What one attempt writes. While a batch is being written the next one gathers."""

    def __init__(self, streams: StreamLog, writer: Writer, *, rated: bool) -> None:
        self._streams = streams
        self._writer = writer
        self._unrated = Unrated() if rated else None
        self._count = 0
        self._gathered: list[Delta] = []
        self._writing: asyncio.Task[None] | None = None
        self._ended = False
        self._delivered = False

    def add(self, piece: Delta) -> None:
        """Write it soon. What may yet be the rating of a rated answer is held back."""
        if self._unrated and isinstance(piece, TextDelta):
            piece = TextDelta(self._unrated.shown(piece.text))
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
        """Write what is left; whether the log has anything of this attempt."""
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

    Raises `ProviderError` of kind `stream_broken` where some of another answer was delivered: none may come behind it.
    """
    if job.stream is None:
        return None
    writer = Writer(job.stream, job.path, attempt)
    delivered = await unless_broken("the stream log", streams.claim(writer, time.time()))
    if delivered is None:
        return None
    if delivered:
        message = "the answer broke off after some of it was delivered, and is not begun anew; ask again"
        raise ProviderError("stream_broken", message)
    return Delivery(streams, writer, rated=job.request.rated)


def broken(error: ProviderError) -> ProviderError:
    """The end of an attempt that failed after some of its answer was delivered: no other attempt follows."""
    message = f"{error}; some of the answer was delivered, and no other follows it"
    return ProviderError("stream_broken", message, status=error.status, usage=error.usage)
