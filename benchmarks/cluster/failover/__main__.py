"""`python -m benchmarks.cluster.failover`: two regions on loopback, of which the first is lost."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from cyclopts import App
from rich.console import Console
from rich.table import Table

from benchmarks.cluster.failover.account import Paid, behind, paid
from benchmarks.cluster.failover.clients import LATENCY, MODEL, PATTERN, YAML, Client, Site
from benchmarks.cluster.failover.link import Link
from benchmarks.cluster.failover.region import Kept, Region
from benchmarks.cluster.running import exit_code
from continuo.errors import InputError
from continuo.protection.vault_key import VARIABLE as VAULT_KEY
from continuo.temporal.leave import leave
from continuo.testing.processes import served, until
from continuo.workers.local.supervision import start

JOBS, RATE = 40, 6.0
"""How many are asked for, and how many a second."""

LOST_AT = 0.75
"""Of the jobs have been accepted when the region is lost."""

PATIENCE = 150.0
"""Seconds for all modes; what has not ended by then is left out."""

app = App(name="benchmarks.cluster.failover", help="Lose a region, and take over in another one.")


@dataclass(frozen=True)
class Mode:
    """How the second region's PostgreSQL follows the first one's, and the seconds that bytes take to get there."""

    synchronous: bool
    delay: float


MODES: Mapping[str, Mode] = {
    "asynchronous, 50 ms away": Mode(synchronous=False, delay=0.05),
    "synchronous, 50 ms away": Mode(synchronous=True, delay=0.05),
    "asynchronous, 2 s behind": Mode(synchronous=False, delay=2.0),
}


@dataclass(frozen=True)
class Found:
    """Times are by `time.time()`."""

    clients: list[Client]
    lost: Kept
    kept: Kept
    paid: Paid
    killed: float
    promoted: float
    serving: float


async def fail_over(folder: Path, mode: Mode) -> Found:
    """Raises `InputError` where something cannot be started, or a job fails."""
    patterns = folder / "patterns"
    patterns.mkdir(parents=True)
    (patterns / f"{PATTERN}.yaml").write_text(YAML, encoding="utf-8")
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(served("continuo.simulator", log=folder / "simulator.log"))
        await provider.behave(MODEL, latency=LATENCY)
        variables = {"CONTINUO_SIM_URL": provider.url, "CONTINUO_PATTERNS": str(patterns)}
        first = Region(folder / "first", variables)
        second = Region(folder / "second", {**variables, VAULT_KEY: first.environment[VAULT_KEY]})
        for region in (first, second):
            await stack.enter_async_context(region.ending())
        link = await stack.enter_async_context(Link(first.postgresql.address))
        await start([first.postgresql])
        key = await first.key("clients")
        await asyncio.gather(first.prepare(), second.prepare(), second.postgresql.follow(link.address))
        await start([second.postgresql])
        await until(first.is_followed)
        await first.serve()
        link.delay = mode.delay
        if mode.synchronous:
            await first.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            await first.sql("SELECT pg_reload_conf()")

        http = httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=10)
        await stack.enter_async_context(http)
        site, clients, began = Site(first.url), [Client(number) for number in range(JOBS)], time.time()
        asking = asyncio.gather(*(one.ask(http, site, began + one.number / RATE) for one in clients))
        stack.push_async_callback(_end, asking)
        await until(lambda: _accepted(clients))

        killed = time.time()
        link.cut()
        await first.lose()
        await second.sql("SELECT pg_promote()")
        promoted, kept = time.time(), await second.kept()
        await second.serve()
        site.url, serving = second.url, time.time()
        await asking
        calls = await provider.calls()
        # On loopback its disk can be looked at.
        await start([first.postgresql])
        lost = await first.kept()
    return Found(clients, lost, kept, paid(calls, lost, kept), killed, promoted, serving)


async def _end(work: "asyncio.Future[list[None]]") -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def _accepted(clients: list[Client]) -> bool:
    return sum(bool(one.id) for one in clients) >= LOST_AT * JOBS


def rows(found: Found) -> Mapping[str, str]:
    killed, kept, lost = found.killed, found.kept, found.lost
    accepted = [one for one in found.clients if 0 < one.accepted <= killed]
    open_ones = [one for one in accepted if one.answered > killed]
    unknown = [one for one in accepted if (one.id or "").removeprefix("job_") not in kept.requests]
    after = [one.answered for one in found.clients if one.answered > killed]
    return {
        "jobs accepted before the loss": f"{len(accepted)}",
        "of these answered before it": f"{len(accepted) - len(open_ones)}",
        "open then: lost unless their clients ask again": f"{len(open_ones)}",
        "accepted, and unknown to the second region": f"{len(unknown)}",
        f"of all {JOBS} jobs answered in the end": f"{sum(one.answered > 0 for one in found.clients)}",
        "answers journalled in the first region": f"{len(lost.answers)}",
        "of these not in the second": f"{len(lost.answers.keys() - kept.answers.keys())}",
        "seconds of work lost (RPO)": f"{behind(lost, kept, killed):.2f}",
        "paid again: recorded, not replicated": f"{found.paid.unreplicated}",
        "paid again: answered, not yet recorded": f"{found.paid.unrecorded}",
        "asked again: cut off before the answer": f"{found.paid.cut_off}",
        "paid again though it was replicated": f"{found.paid.replicated}",
        "seconds until PostgreSQL is promoted": f"{found.promoted - killed:.2f}",
        "until gateway and pools serve": f"{found.serving - killed:.2f}",
        "until the first answer (RTO)": f"{min(after) - killed:.2f}",
        "until the last answer": f"{max(after) - killed:.2f}",
        "median seconds until a job was accepted, before": f"{statistics.median(one.took for one in accepted):.2f}",
    }


async def simulate(console: Console, folder: Path) -> None:
    """Raises `InputError` where the promise is not kept, or no mode has ended in time."""
    losses, limit = dict[str, Found](), asyncio.timeout(PATIENCE)
    try:
        async with limit:
            for number, (name, mode) in enumerate(MODES.items()):
                losses[name] = await fail_over(folder / f"{number}", mode)
                console.print(f"{name}: done")
    except TimeoutError:
        if not limit.expired():
            raise
    if not losses:
        raise InputError(f"no mode has ended in {PATIENCE:g} s; try again on a quieter machine")
    table = Table("", *losses)
    for parts in zip(*(rows(found).items() for found in losses.values()), strict=True):
        table.add_row(parts[0][0], *(figure for _, figure in parts))
    console.print(table)
    if late := MODES.keys() - losses.keys():
        console.print(f"left out, since {PATIENCE:g} s were over: {'; '.join(sorted(late))}")
    if any(found.paid.replicated for found in losses.values()):
        raise InputError("calls were paid again though their answers had been replicated")


@app.default
def main() -> None:
    """Lose the first of two regions in each mode of replication, and tell what came of it."""
    with tempfile.TemporaryDirectory(prefix="continuo-failover-") as folder:
        code = exit_code(simulate(Console(width=140), Path(folder)))
    leave(code)


app()
