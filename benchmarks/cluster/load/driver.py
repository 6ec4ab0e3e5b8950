"""Requests in a closed loop, which shows the capacity, and in an open one, which does not wait for answers."""

import asyncio
import random
import time
from dataclasses import dataclass

from benchmarks.cluster.load.client import Lost
from benchmarks.cluster.load.workload import KINDS, Askers


@dataclass(frozen=True)
class Sample:
    """One request: when it was due, by `time.time()`, and the seconds until its answer; `lost` says why it has none."""

    kind: str
    due: float
    seconds: float
    lost: str | None = None


class Driver:
    """Asks what `chance` picks."""

    def __init__(self, askers: Askers, chance: random.Random) -> None:
        self._askers, self._chance = askers, chance

    async def capacity(self, seconds: float, at_once: int) -> float:
        """Requests a second that are answered, `at_once` under way."""
        ends, samples = time.time() + seconds, list[Sample]()

        async def worker() -> None:
            while time.time() < ends:
                samples.append(await self._ask(self._kind(), time.time()))

        started = time.time()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return sum(not sample.lost for sample in samples) / (time.time() - started)

    async def drive(self, rate: float, seconds: float) -> list["asyncio.Task[Sample]"]:
        """Begin so many requests a second, at random times, for so long; they are under way then, or have ended."""
        asking, due = list[asyncio.Task[Sample]](), time.time()
        ends = due + seconds
        while (due := due + self._chance.expovariate(rate)) < ends:
            # Where this process is late, the request is: it counts from when it was due.
            await asyncio.sleep(max(0, due - time.time()))
            asking.append(asyncio.create_task(self._ask(self._kind(), due)))
        return asking

    def _kind(self) -> str:
        return self._chance.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]

    async def _ask(self, kind: str, due: float) -> Sample:
        lost = None
        try:
            await KINDS[kind].ask(self._askers)
        except (Lost, TimeoutError) as error:
            lost = f"{type(error).__name__}: {error}"
        return Sample(kind, due, time.time() - due, lost)
