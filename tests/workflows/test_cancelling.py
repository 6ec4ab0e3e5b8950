"""After a run's cancellation no call starts; a saga alone does its way back first."""

import asyncio
import logging

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from continuo.choices import Majority
from continuo.jobs import Failure
from continuo.patterns import Call, Deadline, Ensemble, FanOut, Http, Pipeline, PipelineStep, Saga, SagaStep, Step
from starters.launch import result
from tests.support import Control, begin, histories, job, outcome, until
from tests.trees import trees

pytestmark = pytest.mark.usefixtures("worker")

CALLS = ("call", "embed", "http")


def started_after_cancellation(history: WorkflowHistory) -> list[str]:
    """The calls that were scheduled by a workflow task that began after the cancellation."""
    requested = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    asked = [event.event_id for event in history.events if event.event_type == requested]
    scheduled = [event.activity_task_scheduled_event_attributes for event in history.events]
    # A task that was under way already could not know: its completion is the next event.
    return [
        one.activity_type.name
        for one in scheduled
        if one.activity_type.name in CALLS and asked and one.workflow_task_completed_event_id > asked[0] + 1
    ]


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(step=trees(["premium", "mid", "mini"], depth=4, sagas=False), moment=st.floats(0, 0.4))
async def test_no_call_starts_once_a_run_is_cancelled(
    client: Client, simulator: Control, step: Step, moment: float
) -> None:
    await check_cancelled(client, simulator, step, moment)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(step=trees(["premium", "mid", "mini"], depth=4, sagas=False), moment=st.floats(0, 1))
async def test_nor_in_many_trees(client: Client, simulator: Control, step: Step, moment: float) -> None:
    await check_cancelled(client, simulator, step, moment)


async def check_cancelled(client: Client, simulator: Control, step: Step, moment: float) -> None:
    await simulator.delete("/_sim/models")
    for model in ("sim-premium", "sim-mid", "sim-mini"):
        await simulator.behave(model, latency=0.1, confidence=0.4)
    handle = await begin(client, job(step, f"How many? {moment} {len(await simulator.calls())}"))
    await asyncio.sleep(moment)
    await handle.cancel()
    await result(handle)
    async for history in histories(client, handle.id):
        assert started_after_cancellation(history) == []


def after(step: Step) -> Pipeline:
    """`step`, then a call that nobody wants any more once the run is cancelled."""
    return Pipeline(steps=(PipelineStep(name="first", step=step), PipelineStep(name="then", step=Call(model="mini"))))


async def test_a_service_that_answers_all_the_same_ends_no_cancellation(
    client: Client, simulator: Control, shop: Control
) -> None:
    await shop.put("/_faults/inventory", method="PUT", count=1, status=None, latency=0.5)
    saga = Saga(
        steps=(SagaStep(name="stock", do=Http(service="inventory", method="PUT", path="/reservations/{saga}")),)
    )
    handle = await begin(client, job(after(saga), order_id="T-7", items=[]))
    await until(lambda: _has_begun(client, handle.id))
    await handle.cancel()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.type == "Cancelled"
    assert await simulator.calls() == []


async def _has_begun(client: Client, id: str) -> bool:
    return [history async for history in histories(client, id)][1:] != []


async def test_the_log_of_a_cancelled_run_has_no_exception_that_nobody_took(
    client: Client, simulator: Control, caplog: pytest.LogCaptureFixture
) -> None:
    await simulator.behave("sim-premium", latency=30)
    await simulator.behave("sim-mini", text="yes")
    slow, quick = Call(model="premium"), Call(model="mini")
    members = Ensemble(members=(quick, quick, slow), combine=Majority(quorum=2), inline=True)
    late = Deadline(slow, limit=0.3, otherwise=quick)
    with caplog.at_level(logging.ERROR):
        await outcome(client, job(members))
        await outcome(client, job(late))
        handle = await begin(client, job(FanOut(branches={"a": slow, "b": slow, "c": slow}, inline=True)))
        await until(lambda: _asked(simulator, 5))
        await handle.cancel()
        await result(handle)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def _asked(simulator: Control, count: int) -> bool:
    return len(await simulator.calls("sim-premium")) >= count
