"""A batch as it goes: a bar on a terminal, a line now and then elsewhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from continuo.operations.batches import BatchRow
from continuo.starters.console.money import money

INTERVAL = 0.5
"""Seconds between two looks at a batch."""

FIRST_LINE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds until the first line where no bar is shown; the pauses double."""


async def follow(
    console: Console, batch: BatchRow, look: Callable[[], Awaitable[BatchRow]], ending: asyncio.Task[BatchRow]
) -> BatchRow:
    """Show `batch`, looked at again and again, until `ending` has what it came to."""
    begun, before = time.monotonic(), batch.tally.ended
    if not console.is_interactive:
        due, pause = begun + FIRST_LINE, FIRST_LINE
        while not (await asyncio.wait([ending], timeout=INTERVAL))[0]:
            if time.monotonic() >= due:
                console.print(words(await look(), before, time.monotonic() - begun))
                pause = min(2 * pause, LONGEST_PAUSE)
                due = time.monotonic() + pause
        return await ending
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not (await asyncio.wait([ending], timeout=INTERVAL))[0]:
            batch = await look()
            line = Table.grid(padding=(0, 1))
            bar = ProgressBar(total=max(1, batch.tally.items), completed=batch.tally.ended, width=30)
            line.add_row(bar, words(batch, before, time.monotonic() - begun))
            live.update(line, refresh=True)
    return await ending


def words(batch: BatchRow, before: int, seconds: float) -> str:
    """How many items have ended, at what rate since `before` of them had, some seconds ago, and when the rest will."""
    tally = batch.tally
    rate = (tally.ended - before) / seconds if seconds else 0.0
    parts = [f"{tally.ended:,} of {tally.items:,}", f"{tally.failed:,} failed", money(tally.cost_usd), f"{rate:.1f}/s"]
    if rate and tally.waiting:
        parts.append(f"{_time(tally.waiting / rate)} left")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
