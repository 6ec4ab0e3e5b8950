"""A run that is begun again under its id at another Temporal pays for nothing that is answered in their store."""

from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.door.runs import result, start
from continuo.jobs import Outcome
from continuo.patterns import Call, FanOut, Pipeline
from continuo.patterns.pipeline import PipelineStep
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, job, running_temporal
from continuo.workers.pool import pool


@pytest.mark.usefixtures("worker")
async def test_answers_of_a_lost_cluster_are_taken_over_by_the_run_that_is_begun_again_and_by_no_later_one(
    client: Client, simulator: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this workflow, as a local activity, and in child workflows.
    parts = {
        "draft": Call(model="mini"),
        "check": Call(model="mini", local=True),
        "views": FanOut(branches={"one": Call(model="mini"), "two": Call(model="mid")}),
    }
    step = Pipeline(steps=tuple(PipelineStep(name=name, step=part) for name, part in parts.items()))
    asked, id = job(step), f"lost-{uuid4()}"

    async def run(client: Client) -> Outcome:
        end = await result(await start(client, asked, id=id))
        assert isinstance(end, Outcome), end
        return end

    async def calls() -> int:
        return len(await simulator.calls())

    first = await run(client)
    assert await calls() == 4
    async with running_temporal(tmp_path / "temporal") as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        there = await connect()
        async with pool(there, Library(), "standard", 10):
            again = await run(there)
            assert await calls() == 4
            assert (again.text, again.outputs, again.cost_usd) == (first.text, first.outputs, first.cost_usd)
            await run(there)
            assert await calls() == 8
