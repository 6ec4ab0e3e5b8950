"""Kill any process: every request still finishes, and no journalled call is made again.

Each test has a Temporal server, a simulated provider and pools of its own, since it kills them.
"""

import asyncio
import os
import signal
from collections import Counter

import pytest

from continuo.door.runs import Handle, result
from continuo.jobs import Outcome
from continuo.patterns import Call
from continuo.testing.processes import begin, job, kill, until
from tests.support.world import World
from tests.workflows.test_saga import order

RUNS = 20


LOCAL = pytest.mark.parametrize(
    "local", [pytest.param(False, id="activity"), pytest.param(True, id="local", marks=pytest.mark.chaos)]
)


async def start_all(world: World, *, local: bool) -> list[Handle]:
    """Twenty calls, all of which the provider has received."""
    step = Call(model="mid", local=local)
    handles = [await begin(world.client, job(step, f"question {number}")) for number in range(RUNS)]

    async def received() -> bool:
        return len(await world.simulator.calls()) >= RUNS

    await until(received)
    return handles


async def outcomes(handles: list[Handle]) -> list[Outcome]:
    found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 90)
    assert [type(one) for one in found] == [Outcome] * RUNS, found
    return [one for one in found if isinstance(one, Outcome)]


async def made(world: World) -> Counter[str]:
    """How often the provider was asked each call, by the call's identity."""
    return Counter(call["idempotency_key"] for call in await world.simulator.calls())


@LOCAL
async def test_twenty_calls_survive_the_worker_and_no_journalled_one_is_made_again(world: World, local: bool) -> None:
    await world.simulator.behave("sim-mid", latency=2)
    first = await world.pool()
    handles = await start_all(world, local=local)
    # The server stands still, so that answers reach the journal and go no further: the worst moment to die.
    os.kill(world.temporal.child.pid, signal.SIGSTOP)
    database = world.journal()

    async def half_journalled() -> bool:
        return len(await database.read("SELECT identity FROM journal")) >= RUNS // 2

    await until(half_journalled)
    await kill(first)
    os.kill(world.temporal.child.pid, signal.SIGCONT)
    journalled = {row["identity"] for row in await database.read("SELECT identity FROM journal")}
    await database.aclose()
    await world.pool()
    found = await outcomes(handles)
    assert [one.text.split("“")[1].split("”")[0] for one in found] == [f"question {number}" for number in range(RUNS)]
    asked = await made(world)
    assert len(journalled) >= RUNS // 2
    assert {asked[identity] for identity in journalled} == {1}
    assert sum(asked.values()) == 2 * RUNS - len(journalled)


@pytest.mark.chaos
async def test_twenty_calls_in_flight_are_made_again_by_another_worker(world: World) -> None:
    await world.simulator.behave("sim-mid", latency=60)
    first = await world.pool()
    handles = await start_all(world, local=False)
    await kill(first)
    await world.simulator.behave("sim-mid", latency=0)
    await world.pool()
    await outcomes(handles)
    assert set((await made(world)).values()) == {2}


@LOCAL
async def test_twenty_calls_survive_the_temporal_server(world: World, local: bool) -> None:
    await world.simulator.behave("sim-mid", latency=2)
    await world.pool()
    handles = await start_all(world, local=local)
    await kill(world.temporal.child)
    await world.temporal.start()
    await outcomes(handles)
    assert set((await made(world)).values()) == {1}


@pytest.mark.chaos
async def test_an_order_survives_its_worker_at_any_step(world: World) -> None:
    """The deed is done and its answer lost with the worker; the next attempt finds it done."""
    for service in ("payment", "shipping"):
        await world.shop.put(f"/_faults/{service}", method="PUT", count=1, status=None, latency=2)
    pool = await world.pool()
    handle = await begin(world.client, order())
    # The stock is reserved, and the charge on its way; then it is done twice, and the shipment on its way.
    for operations in (1, 3):

        async def so_many() -> bool:
            return len((await world.shop.get("/operations"))["operations"]) >= operations  # noqa: B023

        await until(so_many)
        await kill(pool)
        pool = await world.pool()
    found = await asyncio.wait_for(result(handle), 60)
    assert isinstance(found, Outcome)
    totals = await world.shop.get("/totals")
    assert (totals["reserved_units"], totals["charged_cents"], totals["shipments"]) == (2, 2500, 1)
