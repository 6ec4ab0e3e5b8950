"""What was answered at the door is written down a moment later, many at a time."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from continuo.operations.audit import Entry
from continuo.operations.runs import RunRow
from continuo.stores.cache import Cache
from continuo.stores.runs import Runs

log = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds after which what was answered is written: so much is lost where the process is killed."""

PAUSE = 5.0
"""Seconds until it is tried again where a store is away."""

MOST = 20_000
"""Rows that wait at most; beyond these the newest are dropped, and counted in the log."""

PORTION = 500
"""Rows written together, so that others who write have their turn."""


class Noting:
    """The rows of runs, the audit's entries, and how often the cache's answers were served, until they are in their
    stores."""

    def __init__(self, runs: Runs, cache: Cache) -> None:
        self._runs = runs
        self._cache = cache
        self._rows: list[tuple[RunRow | None, Entry]] = []
        self._hits: Counter[str] = Counter()
        self._served = 0.0
        self._dropped = 0
        self._some = asyncio.Event()

    def note(self, entry: Entry, row: RunRow | None = None) -> None:
        """What is to be entered; of what was refused there is no row."""
        if len(self._rows) < MOST:
            self._rows.append((row, entry))
        else:
            self._dropped += 1
        self._some.set()

    def served(self, key: str, now: float) -> None:
        """The answer that the cache has under this key was served at `now`, seconds since 1970."""
        self._hits[key] += 1
        self._served = now

    async def follow(self) -> None:
        """Write whenever there is something, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(INTERVAL)
            self._some.clear()
            if not await self.write():
                self._some.set()
                await asyncio.sleep(PAUSE)

    async def write(self) -> bool:
        """Write all that waits. Whether that was possible: rows wait on then, which of the cache's answers are in use
        does not."""
        hits, self._hits = self._hits, Counter()
        try:
            while portion := self._rows[:PORTION]:
                await self._runs.keep([row for row, _ in portion if row], [entry for _, entry in portion])
                del self._rows[: len(portion)]
            for key, count in hits.items():
                await self._cache.note_use(key, hits=count, now=self._served)
        except Exception as error:
            log.warning("what was answered at the door waits for a store: %s: %s", type(error).__name__, error)
            return False
        if self._dropped:
            log.error("%d answers and refusals of the door were not kept: the store was away", self._dropped)
            self._dropped = 0
        return True


@asynccontextmanager
async def noting(runs: Runs, cache: Cache) -> AsyncIterator[Noting]:
    """Inside, what is noted is written; the rest of it at the end."""
    notes = Noting(runs, cache)
    task = asyncio.create_task(notes.follow())
    try:
        yield notes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await notes.write()
