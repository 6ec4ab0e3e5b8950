"""What takes days, on a server that skips them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.decisions.off_peak import off_peak
from continuo.decisions.review import Case, Decision
from continuo.door import Door, Request
from continuo.door.batches import Batches
from continuo.door.request import Line
from continuo.door.runs import Handle, result
from continuo.jobs import Context, Outcome
from continuo.operations.batches import AtProvider, BatchRow, Terms, run_id
from continuo.patterns import Call, Review, Step, Template
from continuo.patterns.review import Escalation
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, begin, job, outcome
from tests.support.skipping import skipping

DAY = 86400.0
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def days(environ: pytest.MonkeyPatch, simulator_process: Control) -> AsyncIterator[WorkflowEnvironment]:
    async with skipping() as env:
        yield env


async def case_of(handle: Handle) -> Case:
    case: Case = await handle.query("case", result_type=Case)
    return case


async def decide(handle: Handle, case: Case, by: str) -> None:
    await handle.execute_update("decide", Decision(decision="approve", by=by, shown=case.shown))


async def test_a_review_is_decided_after_three_days_and_was_reminded_of_on_each(days: WorkflowEnvironment) -> None:
    handle = await begin(days.client, job(Review(remind=DAY)))
    await days.sleep(timedelta(days=3) + HOUR)
    case = await case_of(handle)
    assert (case.reminders, case.verdict, case.due - case.opened) == (3, None, timedelta(days=7))
    await decide(handle, case, "ann")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert found.verdict
    assert found.verdict.time - case.opened >= timedelta(days=3)
    # Waiting adds an event for each reminder's timer, and nothing else.
    assert (await handle.describe()).history_length < 50


async def test_after_two_days_others_decide_and_those_before_may_not_any_more(days: WorkflowEnvironment) -> None:
    review = Review(reviewers=("ann",), escalate=Escalation(after=2 * DAY, reviewers=("boss",)))
    handle = await begin(days.client, job(review))
    await days.sleep(timedelta(days=2) - HOUR)
    assert not (await case_of(handle)).escalated
    await days.sleep(2 * HOUR)
    case = await case_of(handle)
    assert (case.escalated, case.reviewers) == (True, ("boss",))
    with pytest.raises(WorkflowUpdateFailedError):
        await decide(handle, case, "ann")
    await decide(handle, case, "boss")
    assert isinstance(await result(handle), Outcome)


async def test_what_nobody_decides_in_five_days_is_reminded_of_escalated_and_answered_otherwise_to_the_second(
    days: WorkflowEnvironment,
) -> None:
    escalation = Escalation(after=2.5 * DAY, reviewers=("boss",))
    review = Review(due=5 * DAY, remind=2 * DAY, escalate=escalation, otherwise=Template(text="hold"))
    begun = await days.get_current_time()
    late = await outcome(days.client, job(review))
    assert (late.text, late.fallback, late.reasons) == ("hold", True, ("nobody decided in time",))
    events = [(event.name, round((event.time - begun) / timedelta(days=1), 3)) for event in late.checkpoints]
    assert events == [
        ("review: remind", 2.0),
        ("review: escalate", 2.5),
        ("review: remind", 4.0),
        ("review: nobody decided in time", 5.0),
    ]


async def test_a_claim_lapses_and_then_another_one_may_decide(days: WorkflowEnvironment) -> None:
    handle = await begin(days.client, job(Review()))
    case = await handle.execute_update("claim", args=["ann", 900.0], result_type=Case)
    with pytest.raises(WorkflowUpdateFailedError):
        await decide(handle, case, "bob")
    await days.sleep(timedelta(seconds=901))
    await decide(handle, case, "bob")
    assert isinstance(await result(handle), Outcome)


@asynccontextmanager
async def batch_of(days: WorkflowEnvironment, step: Step, **terms: object) -> AsyncIterator[tuple[Batches, BatchRow]]:
    """One that has begun, of three items, for a tenant of its own."""
    context = Context(pattern="test", tenant=f"t-{uuid4().hex[:8]}")
    given = Terms.model_validate({"step": step, "context": context, **terms})
    lines = [Line(n, Request(pattern=step, name="test", prompt="Where?")) for n in (1, 2, 3)]
    database = open_store(Settings(), environment())
    store = BatchStore(database, (await namespace_of(days.client)).id)
    batches = Batches(Door(days.client, Library()), store)
    yield batches, await batches.submit("b", "digest", given, "items.jsonl", lines)
    await database.aclose()


async def test_a_batch_for_off_peak_hours_begins_its_items_when_they_come(days: WorkflowEnvironment) -> None:
    opens = (await days.get_current_time() + 3 * HOUR).replace(minute=0, second=0, microsecond=0)
    hours = off_peak(f"{opens:%H:%M}-{opens + 2 * HOUR:%H:%M}", "UTC")
    async with batch_of(days, Template(text="done"), off_peak=hours) as (batches, begun):
        await days.sleep(3 * HOUR)
        batch = await batches.end(begun)
    assert (batch.state, batch.tally.done) == ("done", 3)
    for number in (1, 2, 3):
        started = await start_of(days, run_id(begun.tenant, "b", number))
        assert opens <= started < opens + HOUR


async def test_of_a_provider_s_batch_that_expires_after_a_day_the_rest_is_sent_again(
    days: WorkflowEnvironment, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.operations.provider_batches.LONGEST_PAUSE", 7200.0)
    await simulator.behave("sim-mid", batch={"delay": 1e9})
    async with batch_of(days, Call(model="sim-mid"), at_provider=AtProvider()) as (batches, begun):
        await days.sleep(24 * HOUR)
        assert await simulator.calls() == []
        await simulator.behave("sim-mid", batch={"answers": 2})
        await days.sleep(3 * HOUR)
        batch = await batches.end(begun)
        assert (batch.state, batch.tally.done) == ("done", 3)
        assert [call["protocol"] for call in await simulator.calls("sim-mid")] == ["openai batch"] * 3


async def test_a_provider_s_batch_is_cancelled_in_time_for_single_calls_of_what_it_has_not_answered(
    days: WorkflowEnvironment, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.operations.provider_batches.LONGEST_PAUSE", 7200.0)
    await simulator.behave("sim-mid", batch={"delay": 1e9, "answers": 1})
    began, within = await days.get_current_time(), timedelta(hours=20)
    step = Call(model="sim-mid")
    async with batch_of(days, step, at_provider=AtProvider(within=within.total_seconds())) as (batches, begun):
        await days.sleep(within)
        started = await start_of(days, run_id(begun.tenant, "b", 2))
        assert within - HOUR < started - began < within
        assert [call["protocol"] for call in await simulator.calls("sim-mid")] == ["openai batch"]
        batch = await batches.end(begun)
        # No worker here makes calls.
        assert (batch.state, batch.tally.done, batch.tally.failed) == ("done", 1, 2)


async def start_of(days: WorkflowEnvironment, id: str) -> datetime:
    """By the server's clock; what a description says may be by another one."""
    async for event in days.client.get_workflow_handle(id).fetch_history_events():
        return event.event_time.ToDatetime(UTC)
    raise AssertionError(f"{id} has no history")
