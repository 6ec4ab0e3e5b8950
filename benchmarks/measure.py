"""Latency one at a time, throughput twenty at a time, of contestants that take turns."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Run = Callable[[], Awaitable[object]]
CONCURRENCY = 20


@dataclass
class Figures:
    """`latencies` in seconds at concurrency 1; `rates` in runs a second at concurrency 20, one a round."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.latencies) * 1000

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.latencies, n=20)[-1] * 1000

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


async def compared(contestants: dict[str, Run], *, rounds: int, singles: int, many: int) -> dict[str, Figures]:
    """Each contestant's figures, without rates where `many` is 0.

    They take turns in every round, so that the machine's moods strike all alike.
    """
    figures = {name: Figures() for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            for _ in range(singles):
                started = time.perf_counter()
                await run()
                figures[name].latencies.append(time.perf_counter() - started)
        for name, run in contestants.items():
            if many:
                figures[name].rates.append(await _rate(run, many))
    return figures


async def _rate(run: Run, count: int) -> float:
    started = time.perf_counter()
    await crowd(run, count)
    return count / (time.perf_counter() - started)


async def crowd(run: Run, count: int) -> None:
    """`count` runs, `CONCURRENCY` at once."""
    waiting = iter(range(count))

    async def worker() -> None:
        for _ in waiting:
            await run()

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


@dataclass
class Timed:
    """Many runs: the `latencies` of each, and how long all took, in seconds."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Runs a second."""
        return len(self.latencies) / self.seconds

    def __iadd__(self, other: "Timed") -> "Timed":
        self.latencies += other.latencies
        self.seconds += other.seconds
        return self


async def timed(run: Run, count: int, *, at_once: int) -> Timed:
    """`count` runs, so many at once."""
    waiting, found, begun = iter(range(count)), Timed(), time.perf_counter()

    async def worker() -> None:
        for _ in waiting:
            started = time.perf_counter()
            await run()
            found.latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    found.seconds = time.perf_counter() - begun
    return found
