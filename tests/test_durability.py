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

RUNS = 20


async def start_all(world: World, *, local: bool = False) -> list[Handle]:
    """Twenty calls, all of which the provider has received."""
    step = Call(model="mid", local=local)
    handles = await asyncio.gather(*(begin(world.client, job(step, f"question {number}")) for number in range(RUNS)))

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


@pytest.mark.parametrize(
    "local", [pytest.param(False, id="activity"), pytest.param(True, id="local", marks=pytest.mark.chaos)]
)
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


async def test_twenty_calls_survive_the_temporal_server(world: World) -> None:
    await world.simulator.behave("sim-mid", latency=2)
    await world.pool()
    handles = await start_all(world)
    await kill(world.temporal.child)
    await world.temporal.start()
    await outcomes(handles)
    assert set((await made(world)).values()) == {1}
