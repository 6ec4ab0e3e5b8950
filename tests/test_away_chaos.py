"""The store is away for long while calls are paid: full, locked or killed. Pools live through it, or are killed too;
the provider's own count says what was asked, and the books what was paid."""

import asyncio
import json
import random
import resource
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from continuo.door.runs import Handle, result
from continuo.jobs import Outcome
from continuo.patterns import Call
from continuo.testing.processes import begin, job, kill, running, until
from continuo.workers.local.processes import Child
from tests.continuo.stores.test_store_faults import locked
from tests.support.books import Books, books, complaints, in_flight, settled
from tests.support.stores import emptied, kill_postgres, postgres_server
from tests.support.world import World, made

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

CALLS = 10
"""Before the store is away, and as many meanwhile."""

Fault = Callable[[World, list[Child]], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def file_locked(world: World, pools: list[Child]) -> AsyncIterator[None]:
    with locked(world.folder / "data" / "continuo.db"):
        yield


@asynccontextmanager
async def disk_full(world: World, pools: list[Child]) -> AsyncIterator[None]:
    """A full disk without a disk: a pool can write nothing to any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for pool in pools:
        resource.prlimit(pool.pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pool in pools:
        resource.prlimit(pool.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def away(
    request: pytest.FixtureRequest, tmp_path: Path, environ: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, Fault]]:
    """A world, and how its store gets away."""
    if request.param is not kill_postgres:
        async with made(tmp_path) as world:
            yield world, request.param
        return
    folder = tmp_path / "postgres"
    async with running(postgres_server(folder)) as server:

        @asynccontextmanager
        async def server_killed(world: World, pools: list[Child]) -> AsyncIterator[None]:
            await kill_postgres(server, folder)
            yield
            await server.start()

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", await emptied(server.ready_line))
            async with made(tmp_path) as world:
                yield world, server_killed


@pytest.mark.parametrize(
    ("away", "seconds"),
    # The longer one is more than an attempt waits before it asks.
    [(file_locked, 24), (disk_full, 8)],
    indirect=["away"],
    ids=["locked", "disk-full"],
)
async def test_what_live_workers_were_answered_is_booked_once_and_never_asked_again(
    away: tuple[World, Fault], seconds: float
) -> None:
    world, fault = away
    pools = list(await asyncio.gather(world.pool(), world.pool()))
    handles = await asked(world)
    async with fault(world, pools):
        handles += await begun(world, "meanwhile")
        # So long it is away, and until that was noticed.
        await asyncio.sleep(seconds)
        if fault is not disk_full:
            await until(lambda: noticed(world))
    await check_ends(world, handles)
    assert {*Counter(call["idempotency_key"] for call in await world.simulator.calls()).values()} == {1}


async def noticed(world: World) -> bool:
    return any("cannot be recorded yet" in log.read_text() for log in world.folder.glob("pool-*.log"))


@pytest.mark.parametrize("away", [kill_postgres], indirect=True, ids=["postgres-killed"])
async def test_what_the_dead_have_left_in_files_is_booked_once_and_never_asked_again(away: tuple[World, Fault]) -> None:
    world, fault = away
    pools, chance = list(await asyncio.gather(world.pool(), world.pool())), random.Random(0)
    handles = await asked(world)
    async with fault(world, pools):
        await until(lambda: left(world))
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0, 1))
        for pool in pools:
            await kill(pool)
    dead = await settled(world.simulator)
    in_files = await left(world)
    known = in_files | (await kept(world)).journal
    assert in_files
    await asyncio.gather(world.pool(), world.pool())
    await check_ends(world, handles)
    calls = await world.simulator.calls()
    assert not known & {call["idempotency_key"] for call in calls[dead:]}
    print(f"{len(in_files)} in files, {in_flight(calls, [dead], attempts=1, ends='answered')} in flight")


async def asked(world: World) -> list[Handle]:
    """Calls that the provider has received, and answers in a few seconds, when the store is away."""
    await world.simulator.behave("sim-mid", latency=4, tokens={"input": 100, "output": 50})
    handles = await begun(world, "before")

    async def received() -> bool:
        return len(await world.simulator.calls()) == CALLS

    await until(received)
    return handles


async def begun(world: World, prompt: str) -> list[Handle]:
    asking = (begin(world.client, job(Call(model="sim-mid"), f"{prompt} {number}")) for number in range(CALLS))
    return list(await asyncio.gather(*asking))


async def left(world: World) -> set[str]:
    """The calls whose answers are in files, to be booked later."""
    files = (world.folder / "data" / "unrecorded").glob("*.json")
    return {json.loads(file.read_bytes())["identity"] for file in files}


async def kept(world: World) -> Books:
    database = world.journal()
    try:
        return await books(database)
    finally:
        await database.aclose()


async def check_ends(world: World, handles: list[Handle]) -> None:
    """Every run has its answer, every answer its row, and nothing is left in files."""
    found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 400)
    assert [one for one in found if not isinstance(one, Outcome)] == []

    async def booked() -> bool:
        return len((await kept(world)).ledger) == len(handles) and not await left(world)

    await until(booked)
    (await kept(world)).check(found)
    assert complaints(world.folder) == []
