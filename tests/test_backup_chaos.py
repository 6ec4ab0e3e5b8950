"""A backup is taken while runs go on, everything is killed, and they end elsewhere: what was paid by then is not paid
again."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call
from continuo.temporal.connect import connect
from continuo.testing.processes import begin, job, kill, running_temporal, until
from continuo.workers.local.manifest import CONTENT
from tests.support.books import books, complaints, settled
from tests.support.commands import typed
from tests.support.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

RUNS, CALLS = 10, 3
LONG = "Where is my order? " * 1_500
"""More than a history holds, so that all runs need a large payload."""


async def test_runs_of_a_running_stack_end_elsewhere_and_what_was_paid_is_not_paid_again(
    world: World, environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As `continuo dev` has it: Temporal's file and the stores in one folder.
    data, backup, restored = world.folder / "temporal", world.folder / "backup", world.folder / "restored"
    monkeypatch.setenv("CONTINUO_DATA", str(data))
    await world.simulator.behave("sim-mid", latency=1, tokens={"input": 100, "output": 5_000})
    pool = await world.pool()
    step = Call(model="sim-mid") >> Call(model="sim-mid") >> Call(model="sim-mid")
    handles = [await begin(world.client, job(step, f"{number}: {LONG}")) for number in range(RUNS)]

    async def half_way() -> bool:
        return len([call for call in await world.simulator.calls() if call["answered"]]) >= RUNS * CALLS // 2

    await until(half_way)
    before = journal(data)
    assert typed(monkeypatch, "backup", str(backup)) == 0
    await kill(world.temporal.child)
    await kill(pool)
    left = {path.name for path in data.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert left - {*CONTENT} == {"temporal.log", "cache.db.lock", "vault.key"} & left
    asked = await settled(world.simulator)

    assert typed(monkeypatch, "restore", str(backup), "--data", str(restored)) == 0
    known = journal(restored)
    assert before <= known
    monkeypatch.setenv("CONTINUO_DATA", str(restored))
    async with running_temporal(restored) as temporal:
        monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
        client = await connect()
        await world.pool()
        again = [client.get_workflow_handle(handle.id, result_type=Outcome) for handle in handles]
        outcomes = await asyncio.wait_for(asyncio.gather(*(result(one) for one in again)), 120)
    assert [type(one) for one in outcomes] == [Outcome] * RUNS
    calls = [call["idempotency_key"] for call in await world.simulator.calls()]
    assert known & {*calls[asked:]} == set()
    assert {*Counter(calls[asked:]).values()} == {1}
    database = world.journal()
    kept = await books(database)
    await database.aclose()
    assert len(kept.journal) == RUNS * CALLS
    assert kept.journal - known == {*calls[asked:]}
    kept.check(one for one in outcomes if isinstance(one, Outcome))
    assert complaints(world.folder) == []
    print(f"{len(known)} of {RUNS * CALLS} calls in the backup, {len(calls) - RUNS * CALLS} made again")


def journal(data: Path) -> set[str]:
    with closing(sqlite3.connect(data / "continuo.db")) as connection:
        return {identity for (identity,) in connection.execute("SELECT identity FROM journal")}
