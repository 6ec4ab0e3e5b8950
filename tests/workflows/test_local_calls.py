"""A call on the workflow's own worker keeps every promise that one in an activity keeps."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from continuo.authoring.prepare import resolved
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.door.runs import result
from continuo.jobs import Failure, Outcome
from continuo.patterns import Call, Deadline, Ensemble, Fallback, Retry, Template
from continuo.patterns.choices import Majority
from continuo.testing.processes import Control, begin, failure, job, outcome, until, until_cancelled
from tests.workflows.test_money import agree, rows_of

pytestmark = pytest.mark.usefixtures("worker")
LOCAL = Call(model="sim-mid", local=True, retry=Retry(initial=0.05))


async def test_three_tiers_need_one_task_of_the_workflow_and_no_activity(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=400)
    down = LOCAL.model_copy(update={"model": "sim-premium"})
    handle = await begin(client, job(Fallback(steps=(down, down, LOCAL))))
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert (found.tier, [(call.path, call.attempts, call.status) for call in found.calls]) == (
        3,
        [("tier1", 1, "failed"), ("tier2", 1, "failed"), ("tier3", 1, "ok")],
    )
    events = [event.event_type for event in (await handle.fetch_history()).events]
    assert events.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) == 1
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in events
    agree(found, await rows_of(handle))


def test_a_model_that_the_catalog_calls_local_is_called_so() -> None:
    catalog = load_catalog(Settings().catalog)
    quick = catalog.models["sim-mini"].model_copy(update={"local": True})
    catalog = catalog.model_copy(update={"models": {**catalog.models, "sim-mini": quick}})
    step = resolved(Fallback(steps=(Call(model="sim-mini"), Call(model="sim-mid"))), catalog, {}, simulated=True)
    assert isinstance(step, Fallback)
    assert [one.local for one in step.steps if isinstance(one, Call)] == [True, False]


async def test_every_attempt_has_the_same_key_and_the_provider_says_when_the_next_one_is(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", outage=1, status=429, retry_after_ms=1500)
    found = await outcome(client, job(LOCAL))
    first, second = await simulator.calls()
    assert first["idempotency_key"] == second["idempotency_key"]
    assert first["idempotency_key"].startswith(f"{found.run_id}/")
    assert 1.5 <= second["time"] - first["time"] < 3
    assert found.calls[0].attempts == 2


@pytest.mark.parametrize(("status", "requests"), [(503, 3), (400, 1)])
async def test_its_failures_are_tried_again_as_the_policy_says(
    client: Client, simulator: Control, status: int, requests: int
) -> None:
    await simulator.behave("sim-mid", status=status)
    found = await failure(client, job(LOCAL))
    assert len(await simulator.calls()) == requests
    assert found.calls[0].attempts == requests


async def test_one_that_is_never_answered_is_booked_once_an_attempt(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    update = {"timeout": 0.3, "max_tokens": 100, "retry": Retry(attempts=2, initial=0.05)}
    handle = await begin(client, job(LOCAL.model_copy(update=update)))
    found = await result(handle)
    assert isinstance(found, Failure)
    rows = await rows_of(handle)
    assert [(row["status"], row["estimated"]) for row in rows] == [("failed", 1)] * 2
    agree(found, rows)


async def test_cancelling_the_run_ends_its_request_and_books_it(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(LOCAL.model_copy(update={"max_tokens": 100})))
    await until(simulator.calls)
    await until_cancelled(handle)

    async def aborted() -> bool:
        return [call["disconnected"] for call in await simulator.calls()] == [True]

    await until(aborted)
    found = await result(handle)
    assert isinstance(found, Failure)
    rows = await rows_of(handle)
    assert [(row["status"], row["estimated"]) for row in rows] == [("cancelled", 1)]
    agree(found, rows)


async def test_the_members_that_a_quorum_does_not_need_are_cancelled_at_once(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="spam")
    await simulator.behave("sim-mini", latency=60)
    slow = LOCAL.model_copy(update={"model": "sim-mini"})
    step = Ensemble(members=(LOCAL, LOCAL, slow), combine=Majority(quorum=2), inline=True)
    handle = await begin(client, job(step))
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert (found.consensus, {call.path: call.status for call in found.calls}["member3"]) == ("majority", "cancelled")
    agree(found, await rows_of(handle))


@pytest.mark.chaos
async def test_a_deadline_reaches_it(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    found = await asyncio.wait_for(
        outcome(client, job(Deadline(LOCAL, limit=0.5, otherwise=Template(text="late")))), 60
    )
    assert (found.text, [call.status for call in found.calls]) == ("late", ["cancelled"])


async def test_what_calls_had_cost_that_a_cancellation_undoes_is_told(client: Client, simulator: Control) -> None:
    """It comes while the task lasts that makes them all, which the server then refuses."""
    await simulator.behave("sim-mini", latency=1)
    handle = await begin(client, job(LOCAL >> LOCAL.model_copy(update={"model": "sim-mini"})))

    async def second_asked() -> bool:
        return bool(await simulator.calls("sim-mini"))

    await until(second_asked)
    await until_cancelled(handle)
    found = await result(handle)
    assert isinstance(found, Failure)
    rows = await rows_of(handle)
    assert sorted((row["path"], row["status"]) for row in rows) == [("step1", "ok"), ("step2", "ok")]
    assert sorted(call.path for call in found.calls) == ["step1", "step2"]
    agree(found, rows)
