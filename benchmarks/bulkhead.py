"""Critical calls while the batch queue is flooded. Queues and pools are apart; the server and the machine are not."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import uuid4

from rich.table import Table
from temporalio.service import RPCError

from benchmarks.cases import MODEL
from benchmarks.measure import Figures, compared
from benchmarks.stage import Stage, other_pools
from continuo.door.runs import Handle, start
from continuo.patterns import Call
from continuo.testing.processes import job, until

SLOW = "sim-premium"
LATENCY = 10.0
"""Seconds that a call of the flood takes: so many that hardly any of them ends while the others are measured."""

AT_ONCE = 50
T = TypeVar("T")


async def bulkhead(stage: Stage, *, flood: int, singles: int) -> Table:
    """`singles` critical calls before, during and after a flood of `flood` batch calls, each pool a process."""
    await stage.simulator.delete("/_sim/calls")
    await stage.simulator.behave(SLOW, latency=LATENCY)
    critical = stage.continuo(Call(model=MODEL), priority="critical")
    slow = job(Call(model=SLOW), priority="batch")

    async def measured(count: int = singles) -> Figures:
        return (await compared({"critical": critical}, rounds=1, singles=count, many=0))["critical"]

    async def begun() -> Handle:
        return await start(stage.client, slow, id=f"flood-{uuid4()}")

    async with other_pools():
        await measured(20)  # warm up
        before = await measured()
        handles = await _in_turns([begun] * flood)
        # A tenant's jobs are first come, first served: when the last ones wait, all do.
        await until(lambda: _wait_for_calls(handles[-AT_ONCE:]), timeout=300)
        during = await measured()
        waiting = flood - len(await stage.simulator.calls(SLOW))
        await _in_turns([partial(_ended, handle) for handle in handles])
        after = await measured()
    await stage.simulator.delete(f"/_sim/models/{SLOW}")

    idle = Figures(latencies=before.latencies + after.latencies)
    table = Table("critical calls", "median", "p95", "p95 / idle", title=f"{flood} batch calls, aim: p95 / idle 1.2")
    phases = {"before": before, f"with {waiting} waiting in batch": during, "after": after, "before and after": idle}
    for name, found in phases.items():
        table.add_row(name, f"{found.median_ms:.1f} ms", f"{found.p95_ms:.1f} ms", f"{found.p95_ms / idle.p95_ms:.2f}")
    return table


async def _in_turns(work: list[Callable[[], Awaitable[T]]]) -> list[T]:
    found: list[T] = []
    for first in range(0, len(work), AT_ONCE):
        found += await asyncio.gather(*(each() for each in work[first : first + AT_ONCE]))
    return found


async def _ended(handle: Handle) -> None:
    # It may have its answer meanwhile.
    with suppress(RPCError):
        await handle.terminate()


async def _wait_for_calls(handles: list[Handle]) -> bool:
    """Whether all of these workflows have come so far as to wait for their calls."""
    found = await asyncio.gather(*(handle.describe() for handle in handles))
    return all(one.raw_description.pending_activities for one in found)
