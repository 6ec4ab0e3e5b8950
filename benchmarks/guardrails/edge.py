"""`python -m benchmarks.guardrails.edge [--quick]`: what guardrails add to an answer from the cache."""

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from benchmarks.gateway.contestant import Contestant
from benchmarks.gateway.ours import PATTERNS, ours
from benchmarks.measure import Run, compared
from continuo.temporal.leave import leave
from continuo.testing.processes import served

OFF = '[patterns.unguarded]\npersonal = "off"\nsecrets = "off"\ninjection = "off"\n'
SENTENCES = "The parcel of 12 March came late, and I, ann{}@example.org, wonder who could look into it before Friday? "

app = App(name="benchmarks.guardrails.edge", help="Compare cache hits.")


async def ask(one: Contestant, model: str, size: int) -> None:
    text = "".join(map(SENTENCES.format, range(size // len(SENTENCES) + 1)))[:size]
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    (await one.http.post("/chat/completions", json=body)).raise_for_status()


async def measure(console: Console, *, quick: bool) -> None:
    async with AsyncExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="continuo-bench-")))
        simulator = await resources.enter_async_context(served("continuo.simulator", log=folder / "simulator.log"))
        (folder / "guardrails.toml").write_text(OFF, encoding="utf-8")
        os.environ["CONTINUO_GUARDRAILS"] = str(folder / "guardrails.toml")
        PATTERNS["unguarded"] = PATTERNS["remembered"]
        (folder / "continuo").mkdir()
        gateway = await resources.enter_async_context(ours(folder / "continuo", simulator.url))
        resources.push_async_callback(gateway.http.aclose)
        table = Table("request", "guardrails off", "on", "added", title="a cache hit at the gateway, median")
        for size in (200, 2_000, 20_000):
            runs: dict[str, Run] = {name: partial(ask, gateway, name, size) for name in ("unguarded", "remembered")}
            await compared(runs, rounds=1, singles=5, many=0)
            figures = await compared(runs, rounds=1 if quick else 20, singles=3 if quick else 20, many=0)
            off, on = (figures[name].median_ms for name in runs)
            table.add_row(f"{size:,}", f"{off:.2f} ms", f"{on:.2f} ms", f"{on - off:.2f} ms")
        console.print(table)


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print the table and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    asyncio.run(measure(Console(width=120), quick=quick))
    leave(0)


app()
