"""Pruned among a random mix of runs, of which some are forgotten and some begun again, none that is known loses what it
needs."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call, FanOut, Step
from continuo.testing.processes import begin, job, until
from continuo.workers.pool import pool
from tests.activities.test_pruning import ACKS, ended, forgotten, isolated, long, opened, pruned, replay, started_again
from tests.support.stores import emptied, postgres
from tests.support.world import World, made

pytestmark = pytest.mark.chaos


@pytest.fixture
async def world(tmp_path: Path, environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with postgres(tmp_path / "postgres") as server:
        monkeypatch.setenv("DATABASE_URL", await emptied(server))
        async with made(tmp_path, *ACKS) as world:
            yield world


def step(chance: random.Random, depth: int) -> Step:
    """A tree of long answers, in children and in place."""
    if depth == 0 or chance.random() < 0.3:
        return chance.choice([long, isolated])(str(chance.random()))
    if chance.random() < 0.5:
        return step(chance, depth - 1) >> step(chance, depth - 1)
    return FanOut(branches={name: step(chance, depth - 1) for name in "ab"}, inline=chance.random() < 0.5)


async def test_any_mix_of_runs_keeps_what_it_needs(world: World) -> None:
    chance, client, settings = random.Random(0), world.client, Settings()
    await world.simulator.behave("sim-mini", latency=60)
    async with pool(client, Library(settings), "standard", 30):
        done = [await begin(client, job(step(chance, 3))) for _ in range(8)]
        waits = [await begin(client, job(step(chance, 2) >> Call(model="sim-mini", timeout=600))) for _ in range(4)]
        texts = [(await run.result()).text for run in done]

        async def all_wait() -> bool:
            return len(await world.simulator.calls("sim-mini")) == len(waits)

        await until(all_wait)
        for run in done:
            await ended(client, run.id)
    again = [await started_again(client, run.id) for run in done if chance.random() < 0.3]
    restarted = {run.id: run.run_id for run in again}
    closed = [run async for run in client.list_workflows() if run.close_time]
    # A run begun again needs what its first run had, also where that is forgotten; so does a parent of its children.
    await forgotten(client, [run for run in closed if chance.random() < 0.5])
    async with opened(client, settings) as (pruner, _, payloads):
        await payloads.keep({"f" * 64: b"the answer to a query"}, 0)
        assert (await pruned(pruner))["payloads"] >= 1
    left = {run.run_id async for run in client.list_workflows()}
    await replay(client)
    await world.simulator.delete("/_sim/models")
    async with pool(client, Library(settings), "standard", 30):
        for run in (*waits, *again):
            assert isinstance(found := await result(run), Outcome), found
        for run, text in zip(done, texts, strict=True):
            if run.id not in restarted and run.first_execution_run_id in left:
                assert (await run.result()).text == text
