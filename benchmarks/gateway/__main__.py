"""`python -m benchmarks.gateway [--quick]`: what a gateway adds, on one core, the provider and clients on another."""

import asyncio
import os
import statistics
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.table import Table

from benchmarks.gateway.contestant import Contestant
from benchmarks.gateway.litellm import VERSION, litellm
from benchmarks.gateway.ours import ours, stored
from benchmarks.measure import CONCURRENCY, Timed, timed
from continuo.temporal.leave import leave
from continuo.testing.processes import Control, served

TOKENS, PACE = 50, 0.02
"""Of a stream: pieces, and seconds between two."""

Ask = Callable[[Contestant], Callable[[], Coroutine[Any, Any, None]]]

app = App(name="benchmarks.gateway", help="Compare gateways.")


def _asking(model: str, *, same: bool = False, ours: str | None = None) -> Ask:
    """One request of a case; our gateway may have another name for the same."""

    def of(contestant: Contestant) -> Callable[[], Coroutine[Any, Any, None]]:
        name = ours if ours and contestant.name == "Continuo" else model
        return lambda: contestant.ask(name, same=same)

    return of


CASES: dict[str, tuple[float, Ask]] = {
    "cache hit": (0.0, _asking("sim-mid", same=True, ours="remembered")),
    "plain call": (0.0, _asking("sim-mid")),
    "plain call, 100 ms": (0.1, _asking("sim-mid")),
    "fallback": (0.0, _asking("tiers")),
}
"""Each with the seconds that the provider takes."""


async def compare(contestants: list[Contestant], simulator: Control, *, rounds: int, singles: int, many: int) -> Table:
    table = Table("case", "", "p50", "p95", "p99", "at 20: p50", "p95", "p99", "requests/s")
    for case, (latency, ask) in CASES.items():
        await simulator.behave("sim-mid", latency=latency)
        alone: dict[str, list[float]] = {one.name: [] for one in contestants}
        crowd: dict[str, Timed] = {one.name: Timed() for one in contestants}
        for number in range(rounds + 1):
            for one in contestants:
                if one.name == "straight" and case == "fallback":
                    continue
                found = await timed(ask(one), singles, at_once=1), await timed(ask(one), many, at_once=CONCURRENCY)
                if number:
                    # The first round warms up.
                    alone[one.name] += found[0].latencies
                    crowd[one.name] += found[1]
        for name, latencies in alone.items():
            if latencies:
                of = crowd[name]
                table.add_row(case, name, *_percentiles(latencies), *_percentiles(of.latencies), f"{of.rate:.0f}")
    return table


def _percentiles(latencies: list[float]) -> list[str]:
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return [f"{cuts[number - 1] * 1000:.1f} ms" for number in (50, 95, 99)]


async def streams(contestants: list[Contestant], simulator: Control, *, rounds: int) -> Table:
    await simulator.behave("sim-mid", pace=PACE, text=" ".join(["word"] * TOKENS * 3))
    table = Table("stream", "first token", "between two tokens", "p95", title=f"{PACE * 1000:.0f} ms a piece")
    firsts: dict[str, list[float]] = {one.name: [] for one in contestants}
    gaps: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds + 1):
        for one in contestants:
            first, between = await one.stream("sim-mid")
            if number:
                firsts[one.name].append(first)
                gaps[one.name] += between
    for name in firsts:
        p50, p95, _ = _percentiles(gaps[name])
        table.add_row(name, f"{statistics.median(firsts[name]) * 1000:.1f} ms", p50, p95)
    return table


async def measure(console: Console, *, quick: bool) -> None:
    cores = sorted(os.sched_getaffinity(0))
    async with AsyncExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="continuo-bench-")))
        os.sched_setaffinity(0, {cores[-1]})
        simulator = await resources.enter_async_context(served("continuo.simulator", log=folder / "simulator.log"))
        for down in ("sim-free", "sim-mini"):
            await simulator.behave(down, status=500)
        # What is started now inherits the core.
        os.sched_setaffinity(0, {cores[0]})
        (kept := folder / "continuo").mkdir()
        our = await resources.enter_async_context(ours(kept, simulator.url))
        other = await resources.enter_async_context(litellm(folder, simulator.url))
        os.sched_setaffinity(0, {cores[-1]})
        contestants = [Contestant("straight", f"{simulator.url}/v1", "none"), our, other]
        for one in contestants:
            resources.push_async_callback(one.http.aclose)
        sizes = {"rounds": 1, "singles": 3, "many": 20} if quick else {"rounds": 4, "singles": 60, "many": 200}
        console.print(await compare(contestants, simulator, **sizes))
        console.print(await streams(contestants, simulator, rounds=1 if quick else 10))
        await simulator.behave("sim-mid")
        before, count = stored(kept), 20 if quick else 400
        await timed(lambda: our.ask("sim-mid"), count, at_once=CONCURRENCY)
        console.print(f"stored a plain call: {(stored(kept) - before) / count:,.0f} bytes")
        console.print(f"memory: Continuo {our.resident()} MB (gateway, pool, Temporal), LiteLLM {other.resident()} MB")
        console.print(f"LiteLLM {VERSION}; one core for each, another for the provider and the clients")


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print the tables and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    asyncio.run(measure(Console(width=140), quick=quick))
    leave(0)


app()
