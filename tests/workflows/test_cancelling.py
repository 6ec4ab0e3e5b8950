"""After a run's cancellation no call starts; a saga alone does its way back first."""

import asyncio
import json
import logging
import threading
import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from continuo.config.settings import Settings, environment
from continuo.door.runs import result
from continuo.jobs import Account, Failure, Job
from continuo.patterns import (
    Cached,
    Call,
    Deadline,
    Ensemble,
    Fallback,
    FanOut,
    Http,
    Pipeline,
    PipelineStep,
    Saga,
    SagaStep,
    Step,
    Template,
)
from continuo.patterns.choices import Majority
from continuo.patterns.walk import specs
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, histories, job, outcome, until
from continuo.workflows.fan_out import FanOutWorkflow
from continuo.workflows.run_account import RunAccount
from tests.support.books import check_told
from tests.support.stores import ledger
from tests.support.trees import trees

pytestmark = pytest.mark.usefixtures("worker")

CALLS = ("call", "embed", "http")
CANCEL_REQUESTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
REACHES = 5.0
"""Seconds in which a cancellation reaches every worker, busy machines included; the histories tell exactly."""


def paths(history: WorkflowHistory, after: int = 0) -> dict[str, str]:
    """The calls and children that workflow tasks started which were completed after the event of that number: by the
    identity of a call, or the id of a child, where in the pattern they stand."""
    found = {}
    for event in history.events:
        call = event.activity_task_scheduled_event_attributes
        child = event.start_child_workflow_execution_initiated_event_attributes
        if call.activity_type.name in CALLS and call.workflow_task_completed_event_id > after:
            summary: str = json.loads(event.user_metadata.summary.data)
            found[f"{history.run_id}/{call.activity_id}"] = summary.rpartition(": ")[0]
        if child.workflow_id and child.workflow_task_completed_event_id > after:
            found[child.workflow_id] = child.workflow_id.partition(".")[2]
    return found


def cancelled_at(history: WorkflowHistory) -> int | None:
    """The number of the event that asked for the cancellation."""
    return next((event.event_id for event in history.events if event.event_type == CANCEL_REQUESTED), None)


def started_after_cancellation(history: WorkflowHistory) -> list[str]:
    """What was started all the same, and is no saga's way back."""
    asked = cancelled_at(history)
    # A task that was under way already could not know: its completion is the next event.
    late = {} if asked is None else paths(history, asked + 1)
    return [path for path in late.values() if not is_way_back(path)]


def is_way_back(path: str) -> bool:
    return ".undo" in f".{path}"


async def not_undone(client: Client, history: WorkflowHistory) -> list[str]:
    """The steps that a saga that is no more had begun and has not undone."""
    begun, end = history.events[0].workflow_execution_started_event_attributes, history.events[-1].event_type
    if begun.workflow_type.name != "Saga" or end == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return []
    [saga] = await client.data_converter.decode(begun.input.payloads, [Job])
    done = {path.removeprefix(saga.path).removeprefix(".") for path in paths(history).values()}
    return [
        step.name
        for step in saga.step.steps
        if isinstance(step.undo, Call)
        and any(f"{path}.".startswith(f"{step.name}.") for path in done)
        and f"{step.name}.undo" not in done
    ]


@settings(
    max_examples=8,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    step=trees(["premium", "mid", "mini"], depth=4, sagas=False, local=True),
    moment=st.floats(0, 0.4),
)
async def test_no_call_starts_once_a_run_is_cancelled(
    client: Client, simulator: Control, step: Step, moment: float
) -> None:
    await check_cancelled(client, simulator, step, moment)


def undone_by_calls(step: Step) -> bool:
    """Every way back is a single step; what can fail there would wait for a person."""
    sagas = (spec for spec in specs(step) if isinstance(spec, Saga))
    return all(isinstance(part.undo, Call | Template | None) for saga in sagas for part in saga.steps)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@settings(
    max_examples=8,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    step=trees(["premium", "mid", "mini"], depth=4).filter(undone_by_calls),
    moment=st.floats(0, 1),
)
async def test_nor_in_many_trees_whose_sagas_alone_do_their_way_back(
    client: Client, simulator: Control, step: Step, moment: float
) -> None:
    await check_cancelled(client, simulator, step, moment)


async def check_cancelled(client: Client, simulator: Control, step: Step, moment: float) -> None:
    await simulator.delete("/_sim/models")
    for model in ("sim-premium", "sim-mid", "sim-mini"):
        await simulator.behave(model, latency=0.1, confidence=0.4)
    handle = await begin(client, job(step, f"How many? {moment} {len(await simulator.calls())}"))
    await asyncio.sleep(moment)
    await handle.cancel()
    late = time.time() + REACHES
    found = await result(handle)
    runs = [history async for history in histories(client, handle.id)]
    # A call alone may be answered all the same, and a template at once.
    if cancelled_at(runs[0]) is not None and paths(runs[0]) and not isinstance(step, Call):
        assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED
    for history in runs:
        assert started_after_cancellation(history) == []
        assert await not_undone(client, history) == []
    where = {identity: path for history in runs for identity, path in paths(history).items()}
    calls = [call for call in await simulator.calls() if call["idempotency_key"] in where]
    asked_late = [where[call["idempotency_key"]] for call in calls if call["time"] > late]
    assert [path for path in asked_late if not is_way_back(path)] == []
    ids = {history.run_id for history in runs}
    database = open_store(Settings(), environment())
    check_told([found], [row for row in await ledger(database) if row["identity"].partition("/")[0] in ids])
    await database.aclose()


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


async def test_a_saga_that_is_cancelled_as_it_starts_ends_by_itself(client: Client, simulator: Control) -> None:
    """Its parent is told of the cancellation between the order to start it and its start, or close to that."""
    await simulator.behave("sim-mid", latency=0.3)
    saga = Saga(steps=(SagaStep(name="a", do=Call(model="mid"), undo=Call(model="mini")),))
    for moment in range(8):
        handle = await begin(client, job(Cached(saga, ttl=60), f"{moment}"))
        await asyncio.sleep(moment / 80)
        await handle.cancel()
        await result(handle)
        async for history in histories(client, handle.id):
            assert history.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED


async def test_what_a_child_cost_that_ends_with_its_parents_cancellation_is_told(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come to the parent in one workflow task. A signal holds it up meanwhile; the server writes the cancellation
    first then, and the other way round where the pool is busy, which is made of the history here."""
    include, ends = RunAccount.include, threading.Event()
    accounts = []

    def held_up(counted: RunAccount, account: Account) -> None:
        accounts.append(counted)
        if workflow.info().parent is None and account == Account():
            ends.wait(8)
        include(counted, account)

    monkeypatch.setattr(RunAccount, "include", held_up)
    await simulator.behave("sim-premium", latency=0.3)
    branches = {"slow": Fallback(steps=(Call(model="premium"), Template(text="no"))), "quick": Template(text="yes")}
    handle = await begin(client, job(FanOut(branches=branches), f"{time.time()}"))
    await until(lambda: _asked(simulator, 1))
    await handle.signal("account", Account())
    await client.get_workflow_handle(f"{handle.id}.slow").result()
    await handle.cancel()
    ends.set()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert (found.type, [call.path for call in found.calls]) == ("Cancelled", ["slow.tier1"])
    events = [*(await handle.fetch_history()).events]
    at = next(n for n, event in enumerate(events) if event.event_type == CANCEL_REQUESTED)
    cancelled, ended, scheduled, started, completed = events[at : at + 5]
    events[at : at + 3] = [ended, scheduled, cancelled]
    for number, event in enumerate(events, start=1):
        event.event_id = number
    started.workflow_task_started_event_attributes.scheduled_event_id = scheduled.event_id
    completed.workflow_task_completed_event_attributes.scheduled_event_id = scheduled.event_id
    accounts.clear()
    await Replayer(
        workflows=[FanOutWorkflow],
        data_converter=client.data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ).replay_workflow(WorkflowHistory(handle.id, events))
    assert [call.path for call in accounts[-1].calls] == ["slow.tier1"]


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
