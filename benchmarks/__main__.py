"""`python -m benchmarks [--quick]`: Continuo's patterns beside their bare twins, with journal and ledger on."""

import asyncio
from collections.abc import Iterable

from cyclopts import App
from rich.console import Console
from rich.table import Table

from benchmarks.agents import agents
from benchmarks.batch import batch
from benchmarks.budget import budget
from benchmarks.bulkhead import bulkhead
from benchmarks.cases import Case, cases
from benchmarks.costs import costs
from benchmarks.embeddings import embeddings
from benchmarks.load import load
from benchmarks.measure import compared
from benchmarks.observing import observing
from benchmarks.protections import protections
from benchmarks.scaling import scaling
from benchmarks.stage import Stage, other_pools, stage
from benchmarks.waiting import waiting
from continuo.temporal.leave import leave

AIM = "aim: throughput at least 0.9 of bare, median at most 1.15 of bare"
app = App(name="benchmarks", help="Compare Continuo with bare Temporal.")


async def side_by_side(stage: Stage, measured: Iterable[Case], *, rounds: int, singles: int, many: int) -> Table:
    table = Table("case", "", "median", "p95", "runs/s at 20", "median / bare", "throughput / bare", title=AIM)
    for case in measured:
        await compared(case.contestants, rounds=1, singles=3, many=min(many, 40) // case.heavy)  # warm up
        await stage.simulator.delete("/_sim/calls")
        figures = await compared(
            case.contestants, rounds=rounds, singles=max(2, singles // case.heavy), many=many // case.heavy
        )
        bare = figures["bare"]
        for name, found in figures.items():
            ratios = (f"{found.median_ms / bare.median_ms:.2f}", f"{found.rate / bare.rate:.2f}")
            numbers = (f"{found.median_ms:.1f} ms", f"{found.p95_ms:.1f} ms", f"{found.rate:.0f}")
            table.add_row(case.name, name, *numbers, *(("", "") if name == "bare" else ratios))
    return table


async def measure(console: Console, *, quick: bool) -> None:
    async with stage() as place:
        sizes = {"rounds": 1, "singles": 2, "many": 5} if quick else {"rounds": 4, "singles": 25, "many": 100}
        async with other_pools():
            console.print(await side_by_side(place, cases(place), **sizes))
            console.print(await budget(place, runs=20 if quick else 400))
        console.print(await protections(place, **sizes))
        console.print(await observing(place, **sizes))
        console.print(await scaling(place, widths=(1, 8) if quick else (1, 8, 50, 200), rounds=1 if quick else 4))
        console.print(await costs(place, tens=1 if quick else 20))
        console.print(await batch(place, items=20 if quick else 2000, rounds=1 if quick else 3))
        console.print(await embeddings(place, count=50 if quick else 200, rounds=1 if quick else 2))
        console.print(await load(place, seconds=5 if quick else 60))
        turns, singles = ((1, 3), 2) if quick else ((1, 10, 50, 100), 20)
        console.print(await agents(place, turns=turns, rounds=1 if quick else 2, singles=singles, beside=not quick))
        reviews, idle, calls = (20, 1, 5) if quick else (10_000, 30, 50)
        console.print(await waiting(place, reviews=reviews, idle=idle, singles=calls))
        console.print(await bulkhead(place, flood=30 if quick else 2000, singles=2 if quick else 200))


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print the tables and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    asyncio.run(measure(Console(width=120), quick=quick))
    leave(0)


if __name__ == "__main__":
    app()
