"""Tenants in one queue: nobody waits for another's backlog, and a busy queue is shared by weight."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.door.runs import Handle, result
from continuo.jobs import Job
from continuo.patterns import Call, Fallback, Step, Template
from continuo.testing.processes import begin, job, outcome, until
from continuo.workers.pool import pool
from tests.support.world import World

SLOTS = 2
LATENCY = 0.05
"""Seconds that a model takes: so slow that the slots are what everybody waits for."""


@pytest.fixture
async def busy(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with nobody at the batch queue yet, in which the tenant `double` has twice the others' weight."""
    file = tmp_path / "tenants.toml"
    file.write_text("[tenants.double]\nweight = 2.0\n", encoding="utf-8")
    monkeypatch.setenv("CONTINUO_TENANTS", str(file))
    for model in ("sim-mini", "sim-mid", "sim-premium"):
        await world.simulator.behave(model, latency=LATENCY)
    return world


async def queued(world: World, tenant: str, step: Step, count: int) -> list[Handle]:
    asked = of(tenant, job(step, priority="batch"))
    weight = Library().tenants.of(tenant).weight
    return await asyncio.gather(*(begin(world.client, asked, weight=weight) for _ in range(count)))


async def test_a_backlog_is_shared_by_weight_and_holds_up_no_other_tenants_one_job(busy: World) -> None:
    for _ in range(2):
        await queued(busy, "double", Call(model="sim-mid"), 50)
        await queued(busy, "single", Call(model="sim-premium"), 50)
    (one,) = await queued(busy, "patient", Fallback(steps=(Call(model="sim-mini", isolate=True),)), 1)

    async def served() -> dict[str, int]:
        return Counter(call["model"] for call in await busy.simulator.calls())

    async def sixty() -> bool:
        return sum((await served()).values()) >= 60

    async with pool(busy.client, Library(), "batch", SLOTS):
        await result(one)
        before = await served()
        await until(sixty)
        shares = await served()
    assert before["sim-mid"] + before["sim-premium"] < 30
    assert 1.6 < shares["sim-mid"] / shares["sim-premium"] < 2.4
    # What a job starts in turn is its tenant's too.
    child = await busy.client.get_workflow_handle(f"{one.id}.tier1").describe()
    assert child.raw_description.workflow_execution_info.priority.fairness_key == "patient"


@pytest.mark.usefixtures("worker")
async def test_the_longest_name_of_a_tenant_is_no_longer_than_a_fairness_key_may_be(client: Client) -> None:
    assert (await outcome(client, of("x" * 64, job(Template(text="Hello"))))).text == "Hello"


def of(tenant: str, job: Job) -> Job:
    return job.model_copy(update={"context": job.context.model_copy(update={"tenant": tenant})})
