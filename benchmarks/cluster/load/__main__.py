"""`python -m benchmarks.cluster.load [--seconds N | --quick]`: a mixed load while each part is killed once."""

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.console import Console

from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.load import report, workload
from benchmarks.cluster.load.account import account
from benchmarks.cluster.load.client import Client
from benchmarks.cluster.load.driver import Driver
from benchmarks.cluster.load.faults import killed_in_turn, victims
from benchmarks.cluster.load.usage import Usage
from benchmarks.cluster.running import exit_code
from continuo.errors import InputError
from continuo.temporal.leave import leave
from continuo.testing.processes import Control

SHARE = 0.8
"""Of the measured capacity, which the cluster is driven at."""

AT_ONCE = 20
"""Requests under way while the capacity is measured."""

WARM_UP, IDLE, CAPACITY, QUIET, FAULTS = 0.1, 0.05, 0.1, 0.3, 0.45
"""Parts of the time."""

app = App(name="benchmarks.cluster.load", help="Load the cluster while its parts are killed.")


async def load(console: Console, cluster: Cluster, seconds: float) -> None:
    """Raises `InputError` where the promise is not kept."""
    async with cluster.running(), AsyncExitStack() as stack:
        simulator = Control(cluster.environment["CONTINUO_SIM_URL"])
        stack.push_async_callback(simulator.aclose)
        await workload.prepare(simulator)
        clients = [Client(cluster.url, await cluster.key(name, priority=name)) for name in ("standard", "critical")]
        for client in clients:
            stack.push_async_callback(client.aclose)
        driver = Driver(workload.Askers(*clients), random.Random(1))

        await driver.capacity(seconds * WARM_UP, AT_ONCE)
        idle = Usage(cluster)
        await asyncio.sleep(seconds * IDLE)
        idle.end()
        capacity = await driver.capacity(seconds * CAPACITY, AT_ONCE)
        rate = SHARE * capacity
        console.print(f"capacity {capacity:.1f} requests a second at {AT_ONCE} at once; driven at {rate:.1f}")

        busy = Usage(cluster)
        quiet = await asyncio.gather(*await driver.drive(rate, seconds * QUIET))
        busy.end()

        interval = seconds * FAULTS / len(victims(cluster))
        driving = asyncio.create_task(driver.drive(rate, seconds * FAULTS))
        kills = await killed_in_turn(victims(cluster), interval)
        faults = await asyncio.gather(*await driving)

        of_pools = [kills[pool.name] for pool in cluster.pools if pool.name in kills]
        found = account(await simulator.calls(), await cluster.booked(), of_pools)
    console.print(report.latencies(quiet, faults))
    console.print(report.recoveries(faults, kills, interval))
    console.print(report.processors(idle, busy, quiet))
    console.print(report.paid(found))
    lost = [one.lost for one in (*quiet, *faults) if one.lost]
    for reason in sorted({*lost})[:10]:
        console.print(reason, markup=False)
    if lost or not found.is_clean:
        raise InputError("the promise is not kept: see above what was lost, or paid twice")


@app.default
def main(
    *,
    seconds: Annotated[float, Parameter(validator=validators.Number(gte=10, lte=86_400))] = 600,
    quick: Annotated[bool, Parameter(negative=())] = False,
    data: Path | None = None,
) -> None:
    """Measure the capacity, drive the cluster at 80 % of it, kill its parts, and tell what came of it.

    Parameters
    ----------
    seconds
        How long it is driven, nearly half of that with faults.
    quick
        60 seconds, to see that all of it runs; its figures mean little.
    data
        The folder of the cluster's data and logs; by default one that goes with it.
    """
    with tempfile.TemporaryDirectory(prefix="continuo-cluster-") as temporary:
        folder = (data or Path(temporary)).resolve()
        workload.write_patterns(folder / "patterns")
        cluster = Cluster(folder, variables={"CONTINUO_PATTERNS": str(folder / "patterns")})
        code = exit_code(load(Console(width=140), cluster, 60 if quick else seconds))
    leave(code)


app()
