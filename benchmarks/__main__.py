"""`python -m benchmarks [--quick]`: each of Continuo's patterns beside its bare twin, with journal and ledger on."""

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from cyclopts import App
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from benchmarks.bare import QUEUE
from benchmarks.measure import Run, compared
from continuo.named import find_pattern
from continuo.patterns import Call, Fallback, Step
from continuo.settings import ROOT
from starters.launch import start
from tests.support import TemporalServer, job, pool_process, python, running, served
from tests.workflows.test_saga import ORDER
from workers.connect import connect
from workers.leave import leave

AIM = "aim: throughput at least 0.9 of bare, median at most 1.15 of bare"
PROMPT = "Where is my order?"
app = App(name="benchmarks", help="Compare Continuo with bare Temporal.")


def continuo_runs(client: Client, step: Step, **data: Any) -> Run:
    """One run of a pattern, started as every starter starts it."""
    asked = job(step, PROMPT, **data)

    async def run() -> object:
        return await (await start(client, asked, id=f"continuo-{uuid4()}")).result()

    return run


def bare_runs(client: Client, workflow: str, *arguments: object) -> Run:
    async def run() -> object:
        return await client.execute_workflow(
            workflow,
            args=list(arguments),
            id=f"bare-{uuid4()}",
            task_queue=QUEUE,
        )

    return run


async def measure(*, rounds: int, singles: int, many: int) -> Table:
    table = Table("case", "", "median", "p95", "runs/s at 20", "median / bare", "throughput / bare", title=AIM)
    async with AsyncExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="continuo-bench-")))
        temporal = TemporalServer(folder)
        await temporal.start()
        resources.push_async_callback(temporal.stop)
        os.environ["TEMPORAL_ADDRESS"], os.environ["CONTINUO_DATA"] = temporal.address, str(folder)
        simulator = await resources.enter_async_context(served("simulator", log=folder / "simulator.log"))
        shop = await resources.enter_async_context(served("examples.shop", log=folder / "shop.log"))
        os.environ["CONTINUO_SIM_URL"], os.environ["CONTINUO_SHOP_URL"] = simulator.url, shop.url
        await resources.enter_async_context(running(pool_process("standard", folder / "pool.log")))
        twin = python("benchmarks.bare", ready="bare worker ready", log=folder / "bare.log")
        await resources.enter_async_context(running(twin))
        client = await connect()
        await simulator.behave("sim-free", status=400)

        down, up = Call(model="sim-free"), Call(model="sim-mid")
        saga = find_pattern("order", ROOT / "patterns").pattern
        cases: dict[str, dict[str, Run]] = {
            "one call": {
                "bare": bare_runs(client, "BareFallback", ["sim-mid"], PROMPT),
                "continuo": continuo_runs(client, up),
            },
            "fallback, third of three tiers": {
                "bare": bare_runs(client, "BareFallback", ["sim-free", "sim-free", "sim-mid"], PROMPT),
                "continuo": continuo_runs(client, Fallback(steps=(down, down, up))),
            },
            "saga of three steps": {
                "bare": bare_runs(client, "BareSaga", ORDER),
                "continuo": continuo_runs(client, saga, **ORDER),
            },
        }
        for case, contestants in cases.items():
            await compared(contestants, rounds=1, singles=3, many=min(many, 40))  # warm up
            await simulator.delete("/_sim/calls")
            figures = await compared(contestants, rounds=rounds, singles=singles, many=many)
            bare = figures["bare"]
            for name, found in figures.items():
                ratios = (f"{found.median_ms / bare.median_ms:.2f}", f"{found.rate / bare.rate:.2f}")
                numbers = (f"{found.median_ms:.1f} ms", f"{found.p95_ms:.1f} ms", f"{found.rate:.0f}")
                table.add_row(case, name, *numbers, *(("", "") if name == "bare" else ratios))
    return table


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print a table and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    sizes = {"rounds": 2, "singles": 3, "many": 20} if quick else {"rounds": 4, "singles": 25, "many": 100}
    Console(width=120).print(asyncio.run(measure(**sizes)))
    leave(0)


app()
