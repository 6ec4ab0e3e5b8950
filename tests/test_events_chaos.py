"""A pool that delivers events is killed: each event arrives all the same, and each run's in order."""

import asyncio
import json
from pathlib import Path

import pytest

from continuo.patterns import Call, Pipeline
from continuo.patterns.pipeline import PipelineStep
from continuo.stores.events import begin
from continuo.testing.processes import begin as started
from continuo.testing.processes import job, kill, until
from tests.support.receiver import receiving
from tests.support.world import World

RUNS, STEPS = 6, 4


@pytest.mark.chaos
async def test_a_killed_pool_loses_no_event_and_no_order(world: World, tmp_path: Path) -> None:
    async with receiving() as receiver:
        file = tmp_path / "events.toml"
        file.write_text(f"[subscribers.hook]\nurl = '{receiver.url()}'\ntypes = ['call.*']\n", encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTINUO_EVENTS", str(file))
            first = await world.pool()
            database = world.journal()
            await begin(database, "events/hook")
            await database.aclose()
            steps = tuple(PipelineStep(name=f"s{number}", step=Call(model="mini")) for number in range(STEPS))
            runs = [await started(world.client, job(Pipeline(steps=steps))) for _ in range(RUNS)]
            await receiver.has(2)
            await kill(first)
            await world.pool()
            await asyncio.gather(*(run.result() for run in runs))

            async def all_there() -> bool:
                return len({json.loads(one.body)["id"] for one in receiver.sent}) == RUNS * STEPS

            await until(all_there, timeout=60)
    for run in runs:
        events = [json.loads(one.body) for one in receiver.sent]
        paths = dict.fromkeys(event["data"]["path"] for event in events if event["subject"] == run.id)
        assert [*paths] == [f"s{number}" for number in range(STEPS)]
