"""The table of runs says of each what Temporal says, however it ended, and is the same when it is made anew."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.collecting import collect, rebuild
from continuo.door.runs import Handle, result, start
from continuo.jobs import Job, Outcome
from continuo.operations.runs import RunQuery, RunRow
from continuo.patterns import Cached, Call, Fallback, Retry, Route, Split, Template, Variant
from continuo.patterns.choices import Length
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs, listed
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import begin, job, kill, until, until_cancelled
from continuo.workers import following
from continuo.workers.pool import pool
from tests.support.world import World
from tests.workflows.test_dead_letter import letter_of
from tests.workflows.test_saga import order

ONCE = Retry(attempts=1)
MID, MINI, PREMIUM = (Call(model=name, retry=ONCE) for name in ("mid", "mini", "premium"))


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_store(Settings(data=tmp_path / "rows"), {})
    yield database
    await database.aclose()


async def rows(database: Database) -> dict[str, RunRow]:
    """The rows by run id."""
    return {row.run_id: row for row in await listed(database, RunQuery(limit=1000))}


def run_id(handle: Handle) -> str:
    assert handle.first_execution_run_id is not None
    return handle.first_execution_run_id


async def row(database: Database, handle: Handle) -> RunRow:
    return (await rows(database))[run_id(handle)]


async def listed_as_closed(world: World, count: int) -> None:
    """Wait until so many runs are in the list of those that have ended."""
    query = "ContinuoPattern IS NOT NULL AND WorkflowType != 'DeadLetter' AND ExecutionStatus != 'Running'"

    async def there() -> bool:
        return (await world.client.count_workflows(query)).count == count

    await until(there)


def of(asked: Job, **context: str) -> Job:
    return asked.model_copy(update={"context": asked.context.model_copy(update=context)})


async def test_every_end_has_its_row_and_a_table_made_anew_has_the_same(
    world: World, table: Database, tmp_path: Path
) -> None:
    client, runs = world.client, Runs(table, (await namespace_of(world.client)).id)
    await world.simulator.behave("sim-premium", status=400)
    variants = {"b": Variant(step=MINI)}
    async with pool(client, Library(), "standard", 10), pool(client, Library(), "batch", 10):
        asked = await begin(client, of(job(MID), user="ada"))
        answer = await result(asked)
        second = await begin(client, job(Fallback(steps=(PREMIUM, MID))))
        fell = await result(second)
        hits = [await begin(client, job(Cached(MID), "the same"))]
        kept = await result(hits[0])
        hits.append(await begin(client, job(Cached(MID), "the same")))
        await result(hits[1])
        route = Route(by=Length(), branches={"local": MINI, "rest": Template(text="long")}, default="rest")
        routed = await begin(client, job(route))
        await result(routed)
        split = await begin(client, of(job(Split(variants=variants, shadow={"new": MID})), tenant="globex", user="bob"))
        await result(split)
        await world.shop.put("/_faults/shipping", method="PUT", count=9, status=503)
        saga = await begin(client, order())
        await result(saga)
        failed = await start(client, job(PREMIUM), id="failed")
        failure = await result(failed)
        await world.simulator.behave("sim-premium", text="now")
        await client.get_workflow_handle(letter_of(client, failed).id).signal("retry", None)
        await letter_of(client, failed).result()
        await world.simulator.behave("sim-mini", latency=60)
        cancelled = await begin(client, job(Fallback(steps=(MINI, MID))))
        terminated = await begin(client, job(MINI))

        async def in_flight() -> bool:
            return len([call for call in await world.simulator.calls("sim-mini") if not call["answered"]]) >= 2

        await until(in_flight)

        async def collected() -> bool:
            # Temporal lists a run some moments after it has begun.
            await collect(client, runs)
            known = await rows(table)
            return all(run_id(one) in known for one in (cancelled, terminated))

        await until(collected)
        assert {(await row(table, one)).status for one in (cancelled, terminated)} == {"running"}
        await until_cancelled(cancelled)
        await terminated.terminate("no longer wanted")
        await listed_as_closed(world, 12)
        await collect(client, runs)
        found = await rows(table)
        assert len(found) == 12

        assert isinstance(answer, Outcome)
        assert isinstance(fell, Outcome)
        assert isinstance(kept, Outcome)
        call = await row(table, asked)
        assert (call.workflow_id, call.tenant, call.user, call.pattern, call.kind) == (
            asked.id, "acme", "ada", "test", "call",
        )  # fmt: skip
        assert (call.status, call.served_by, call.model, call.simulated) == ("done", "model", "sim-mid", True)
        assert (call.cost_usd, call.latency_ms, call.error) == (answer.cost_usd, answer.latency_ms, None)
        assert answer.usage is not None
        assert (call.input_tokens, call.output_tokens) == (answer.usage.input_tokens, answer.usage.output_tokens)
        fallen = await row(table, second)
        assert (fallen.kind, fallen.tier, fallen.model) == ("fallback", 2, "sim-mid")
        hit = await row(table, hits[1])
        assert (hit.served_by, hit.cost_usd, hit.saved_usd) == ("cache", 0, kept.cost_usd)
        assert (await row(table, routed)).label == "local"
        assert ((await row(table, split)).variant, (await row(table, split)).tenant) == ("b", "globex")
        (shadow,) = (one for one in found.values() if one.shadow_of)
        assert (shadow.workflow_id, shadow.shadow_of, shadow.parent) == (f"{split.id}.shadow.new", split.id, split.id)
        assert (shadow.user, shadow.status, shadow.model) == ("bob", "done", "sim-mid")
        undone = await row(table, saga)
        assert (undone.kind, undone.status, undone.served_by) == ("saga", "failed", None)
        assert (undone.error or "").startswith("SagaFailed: ")
        first, again = (one for one in reversed(found.values()) if one.workflow_id == "failed")
        assert (first.status, first.parent, first.error) == ("failed", None, getattr(failure, "cause", None))
        assert (again.status, again.parent) == ("done", letter_of(client, failed).id)
        stopped = await row(table, cancelled)
        assert (stopped.status, stopped.output_tokens is None, stopped.latency_ms is None) == (
            "cancelled",
            False,
            False,
        )
        ended = await row(table, terminated)
        assert (ended.status, ended.cost_usd, ended.input_tokens) == ("terminated", None, None)

        anew = open_store(Settings(data=tmp_path / "anew"), {})
        assert await rebuild(client, Runs(anew, "here")) == 12
        assert await rows(anew) == found
        await anew.aclose()
        assert await rebuild(client, runs) == 12
        await collect(client, runs, timedelta(days=1))
        assert await rows(table) == found


@pytest.mark.chaos
async def test_a_run_whose_pool_was_killed_is_told_as_it_ended_and_one_that_is_forgotten_as_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "INTERVAL", 0.1)
    await world.simulator.behave("sim-mid", latency=60)
    first = await world.pool()
    handle = await begin(world.client, job(MID))

    async def asked() -> bool:
        return bool(await world.simulator.calls())

    await until(asked)
    await kill(first)
    await world.simulator.behave("sim-mid", latency=0)
    database = world.journal()
    runs = Runs(database, (await namespace_of(world.client)).id)
    await collect(world.client, runs)
    seen = await row(database, handle)
    assert (seen.status, seen.ended, seen.cost_usd) == ("running", None, None)
    await runs.keep([seen.model_copy(update={"run_id": "00000000-0000-0000-0000-000000000000"})])
    # This one follows the runs by itself.
    async with pool(world.client, Library(), "standard", 10):
        outcome = await asyncio.wait_for(result(handle), 100)
        assert isinstance(outcome, Outcome)

        async def told() -> bool:
            return (await row(database, handle)).status == "done"

        # Had the killed one begun to follow the runs, its lease would have to end.
        await until(told, timeout=60)
    ended = await row(database, handle)
    assert (ended.cost_usd, ended.latency_ms) == (outcome.cost_usd, outcome.latency_ms)
    assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    assert (await rows(database))["00000000-0000-0000-0000-000000000000"].status == "forgotten"
    await database.aclose()
