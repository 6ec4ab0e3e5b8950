"""A job that failed for good is kept until a retry answers it or a person gives it up."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.runs import Handle, result, start
from continuo.jobs import Failure, Job, Outcome
from continuo.operations.dead_letters import Closed, Letter
from continuo.patterns import Call, FanOut, Retry, Route, Template
from continuo.patterns.choices import Complexity
from continuo.testing.processes import Control, begin, job, until
from continuo.workers.local.temporal_server import find
from continuo.workers.pool import pool
from continuo.workflows.dead_letter import DeadLetterWorkflow

ONCE = Retry(attempts=1)
FAILS = Call(model="premium", retry=ONCE)

LetterHandle = WorkflowHandle[DeadLetterWorkflow, Closed]


def letter_of(client: Client, handle: Handle) -> LetterHandle:
    """The letter of a run that has failed."""
    id = f"dead-letter/{handle.id}/{handle.first_execution_run_id}"
    return client.get_workflow_handle(id, result_type=Closed)


async def buried(client: Client, job: Job, id: str | None = None) -> LetterHandle:
    """Run `job` to its failure: its letter."""
    handle = await start(client, job, id=id or f"test-{uuid4()}")
    assert isinstance(await result(handle), Failure)
    return letter_of(client, handle)


async def content(letter: LetterHandle) -> Letter:
    return await letter.query(DeadLetterWorkflow.letter)


async def noted(letter: LetterHandle, words: str) -> Letter:
    """The letter, once its note has these words."""

    async def says() -> bool:
        return words in (await content(letter)).note

    await until(says)
    return await content(letter)


async def closed(letter: LetterHandle) -> Closed:
    return await asyncio.wait_for(letter.result(), 30)


async def exists(letter: LetterHandle) -> bool:
    try:
        await letter.describe()
    except RPCError as error:
        return error.status != RPCStatusCode.NOT_FOUND
    return True


async def temporal(*arguments: str) -> None:
    """A command of Temporal's own, which succeeds."""
    process = await asyncio.create_subprocess_exec(str(find(Settings().cache)), *arguments, stdout=-3)
    assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.usefixtures("worker")
async def test_a_failed_job_is_kept_with_its_input_its_error_and_its_run(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503, error_message="on fire")
    asked = job(FAILS, "Where is my order,\nplease?", priority="critical")
    letter = await buried(client, asked)
    kept = await content(letter)
    assert kept.job == asked.begun()
    assert kept.id == letter.id
    assert kept.failure.cause == "server_error: sim-anthropic: 503 on fire"
    assert [call.status for call in kept.failure.calls] == ["failed"]
    found = await letter.describe()
    assert found.task_queue == "critical"
    assert found.raw_description.workflow_execution_info.priority.fairness_key == "acme"
    assert await found.static_summary() == kept.failure.cause
    memo = await found.memo()
    assert (memo["prompt"], memo["error"], memo["tries"]) == ("Where is my order, please?", kept.failure.cause, 0)
    run = await client.get_workflow_handle(kept.workflow_id, run_id=kept.run_id).describe()
    assert {pair.key.name: pair.value for pair in run.typed_search_attributes}["ContinuoCostUsd"] == 0
    await letter.signal(DeadLetterWorkflow.discard, "too late")
    assert await closed(letter) == Closed(by="discarded", note="too late")


@pytest.mark.usefixtures("worker")
async def test_a_retry_by_temporals_own_command_takes_the_place_of_the_run(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    letter = await buried(client, job(FAILS))
    kept = await content(letter)
    await simulator.delete("/_sim/models")
    await temporal("workflow", "signal", "--workflow-id", letter.id, "--name", "retry")
    end = await closed(letter)
    assert end.by == "answered"
    retried: Handle = client.get_workflow_handle(kept.workflow_id, run_id=end.run_id, result_type=Outcome)
    found = await result(retried)
    assert isinstance(found, Outcome)
    assert found.model == "sim-premium"
    info = (await retried.describe()).raw_description.workflow_execution_info
    assert (info.task_queue, info.priority.fairness_key) == ("standard", "acme")
    assert {"ContinuoTenant", "ContinuoPattern", "ContinuoCostUsd"} <= set(info.search_attributes.indexed_fields)


@pytest.mark.usefixtures("worker")
async def test_a_retry_that_fails_leaves_the_letter_open_until_another_pattern_answers(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-premium", status=503, error_message="on fire")
    letter = await buried(client, job(FAILS))
    await simulator.behave("sim-premium", status=400, error_message="under water")
    await letter.signal(DeadLetterWorkflow.retry)
    kept = await noted(letter, "the last retry failed")
    assert (kept.tries, kept.failure.cause) == (1, "invalid_request: sim-anthropic: 400 under water")
    assert (await (await letter.describe()).memo())["tries"] == 1
    again: Handle = client.get_workflow_handle(kept.workflow_id)
    run_id = (await again.describe()).run_id
    assert run_id != kept.run_id
    assert not await exists(client.get_workflow_handle(f"dead-letter/{kept.workflow_id}/{run_id}"))
    await letter.signal(DeadLetterWorkflow.retry, "modration")
    assert "did you mean 'moderation'?" in (await noted(letter, "not retried")).note
    await letter.signal(DeadLetterWorkflow.retry, "order")
    assert "acts on data" in (await noted(letter, "order")).note
    await simulator.delete("/_sim/models")
    await letter.signal(DeadLetterWorkflow.retry, "support")
    assert (await closed(letter)).by == "answered"
    described = await again.describe()
    assert described.workflow_type != "Call"
    assert await described.static_summary() == "support for acme"
    assert (await content(letter)).job.context.pattern == "test"


@pytest.mark.usefixtures("worker")
async def test_a_discard_during_a_retry_takes_effect_after_it(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    letter = await buried(client, job(FAILS))
    await simulator.behave("sim-premium", latency=60)
    await letter.signal(DeadLetterWorkflow.retry)
    kept = await noted(letter, "a retry is under way")
    await letter.signal(DeadLetterWorkflow.discard)
    await client.get_workflow_handle(kept.workflow_id).cancel()
    assert (await closed(letter)).by == "discarded"
    assert ((await content(letter)).tries, (await content(letter)).note) == (1, "discarded")


@pytest.mark.usefixtures("worker")
async def test_cancelling_a_letter_leaves_its_retry_alone(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    letter = await buried(client, job(FAILS))
    await simulator.behave("sim-premium", latency=0.5)
    await letter.signal(DeadLetterWorkflow.retry)
    kept = await noted(letter, "a retry is under way")
    await letter.cancel()
    with pytest.raises(WorkflowFailureError) as raised:
        await closed(letter)
    assert isinstance(raised.value.cause, CancelledError)
    assert isinstance(await result(client.get_workflow_handle(kept.workflow_id, result_type=Outcome)), Outcome)


@pytest.mark.usefixtures("worker")
async def test_what_has_been_done_in_the_meantime_is_not_done_twice(client: Client, simulator: Control) -> None:
    id = f"order-{uuid4()}"
    await simulator.behave("sim-premium", status=503)
    letter = await buried(client, job(FAILS), id)
    await simulator.behave("sim-premium", latency=0.5)
    # As an order is submitted again.
    again = await start(client, job(FAILS), id=id, reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
    await letter.signal(DeadLetterWorkflow.retry)
    await noted(letter, f"another run of {id} is under way")
    assert isinstance(await result(again), Outcome)
    await letter.signal(DeadLetterWorkflow.retry)
    end = await closed(letter)
    assert (end.by, end.run_id) == ("done before", again.first_execution_run_id)
    assert len(await simulator.calls()) == 2


@pytest.mark.usefixtures("worker")
async def test_only_a_whole_run_makes_a_letter_and_none_that_was_cancelled(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    await simulator.behave("sim-mini", latency=60)
    whole = await begin(client, job(FanOut(branches={"a": FAILS, "b": Template(text="Sorry.")})))
    cancelled = await begin(client, job(Call(model="mini")))
    await until(lambda: simulator.calls("sim-mini"))
    await cancelled.cancel()
    assert [type(await result(run)) for run in (whole, cancelled)] == [Failure, Failure]
    child = await client.get_workflow_handle(f"{whole.id}.a").describe()
    assert await exists(letter_of(client, whole))
    assert not await exists(client.get_workflow_handle(f"dead-letter/{child.id}/{child.run_id}"))
    assert not await exists(letter_of(client, cancelled))


@pytest.mark.usefixtures("worker", "simulator")
async def test_a_run_that_a_mistake_of_ours_ended_is_kept_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("continuo.workflows.route.classify", lambda *given: 1 // 0)
    route = Route(by=Complexity(), branches={"low": Template(text="Yes.")}, default="low")
    letter = await buried(client, job(route))
    failure = (await content(letter)).failure
    assert failure.cause == "internal_error: unexpected ZeroDivisionError: integer division or modulo by zero"


async def test_a_letter_outlives_the_worker_that_kept_it(
    client: Client, simulator: Control, shop_process: Control
) -> None:
    await simulator.behave("sim-premium", status=503)
    async with pool(client, Library(), "batch", 20):
        letter = await buried(client, job(FAILS, priority="batch"))
    await letter.signal(DeadLetterWorkflow.retry)
    await simulator.delete("/_sim/models")
    async with pool(client, Library(), "batch", 20):
        assert (await closed(letter)).by == "answered"
