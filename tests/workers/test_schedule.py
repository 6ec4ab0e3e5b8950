"""Pruning once a day, by Temporal's own schedule."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import ScheduleOverlapPolicy

from continuo.temporal.connect import connect
from continuo.testing.processes import TemporalServer, until
from continuo.workers.schedule import ensure_schedules
from tests.support.world import World


async def test_a_pool_schedules_it_once_and_leaves_what_an_operator_made_of_it(world: World) -> None:
    await world.pool()
    schedule = world.client.get_schedule_handle("prune")
    found = (await schedule.describe()).schedule
    assert [one.every for one in found.spec.intervals] == [timedelta(days=1)]
    assert found.policy.overlap == ScheduleOverlapPolicy.SKIP
    await schedule.trigger()

    async def pruned() -> bool:
        runs = [run async for run in world.client.list_workflows("WorkflowType = 'Prune'")]
        return [run.status.name for run in runs if run.status] == ["COMPLETED"]

    await until(pruned)
    await schedule.pause(note="not now")
    await ensure_schedules(world.client)
    assert (await schedule.describe()).schedule.state.note == "not now"


async def test_where_there_can_be_no_schedule_a_pool_starts_all_the_same(
    environ: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = TemporalServer(tmp_path, "frontend.enableSchedules=false")
    await server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        client = await connect()
    await ensure_schedules(client)
    assert "prune by hand: continuo prune" in capsys.readouterr().out
    await server.stop()
