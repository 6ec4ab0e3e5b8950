"""What nobody meant to raise in workflow code, and what a pool cannot read: the run ends with the cause, or waits."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.workflow import NondeterminismError

from continuo.decisions import traffic_split
from continuo.door.runs import Handle, result
from continuo.jobs import Failure, Outcome
from continuo.patterns import Call, Fallback, Saga, SagaStep, Split, Template, Variant
from continuo.temporal.payloads import PayloadConverter, PayloadStore
from continuo.testing.processes import Control, failure, job, outcome, until
from tests.workflows.test_saga import change, order

pytestmark = pytest.mark.usefixtures("worker")

BROKEN = Split(variants={"a": Variant(step=Template(text="an answer"))})


def failing_once(error: Exception, work: Callable[..., Any]) -> Callable[..., Any]:
    errors = [error]

    def work_or_fail(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return work(*arguments)

    return work_or_fail


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*arguments: Any) -> Any:
        raise error

    return fail


async def task_failed(handle: WorkflowHandle[Any, Any]) -> str:
    """Wait until a workflow task of the run has failed: why. The run goes on waiting."""
    causes: list[str] = []

    async def found() -> bool:
        causes.extend(
            f"{event.workflow_task_failed_event_attributes.failure}"
            for event in (await handle.fetch_history()).events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        )
        return bool(causes)

    await until(found)
    return causes[0]


@pytest.mark.parametrize("kind", [RuntimeError, RecursionError, KeyError, OSError, type("Own", (Exception,), {})])
async def test_an_unexpected_error_ends_the_run_and_says_what_it_was(
    client: Client, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    monkeypatch.setattr("continuo.workflows.split.variant_at", failing(kind("too much")))
    found = await failure(client, job(BROKEN))
    assert found.type == "internal_error"
    assert found.message.startswith(f"unexpected {kind.__name__}: ")
    assert "too much" in found.message


async def test_the_next_tier_answers_after_an_unexpected_error(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("continuo.workflows.split.variant_at", failing(RuntimeError("broken")))
    found = await outcome(client, job(Fallback(steps=(BROKEN, Template(text="Sorry.")))))
    assert (found.text, found.reasons) == ("Sorry.", ("tier 1: internal_error: unexpected RuntimeError: broken",))


async def test_an_unexpected_error_undoes_the_saga(
    client: Client, shop: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.workflows.split.variant_at", failing(RuntimeError("broken")))
    placed = order(order_id=f"U-{uuid4()}")
    assert isinstance(placed.step, Saga)
    steps = (*placed.step.steps[:2], SagaStep(name="break", do=BROKEN))
    before = await shop.get("/totals")
    found = await failure(client, placed.model_copy(update={"step": placed.step.model_copy(update={"steps": steps})}))
    assert (found.type, found.causes) == ("SagaFailed", ("internal_error: unexpected RuntimeError: broken",))
    assert await change(shop, before) == (0, 0, 0)


@pytest.mark.parametrize("error", [NondeterminismError("another order"), MemoryError()])
async def test_what_may_pass_is_tried_again(client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr("continuo.workflows.split.variant_at", failing_once(error, traffic_split.variant_at))
    assert (await outcome(client, job(BROKEN))).text == "an answer"


async def test_a_payload_that_cannot_be_read_for_a_while_is_tried_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PayloadStore, "_read", failing_once(OSError("the disk is away"), PayloadStore._read))
    long = Template(text="x" * 20_000, isolate=True)
    assert (await outcome(client, job(Fallback(steps=(long, Template(text="Sorry.")))))).text == long.text


async def test_a_result_of_a_newer_release_waits_for_a_pool_that_can_read_it(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, written = PayloadConverter.from_payloads, [{"new": 1}]

    def older_at_first(self: PayloadConverter, payloads: Any, type_hints: Any = None) -> list[Any]:
        if type_hints == [Outcome] and written:
            Outcome.model_validate(written.pop())
        return read(self, payloads, type_hints)

    monkeypatch.setattr(PayloadConverter, "from_payloads", older_at_first)
    found = await outcome(client, job(Call(model="mini", isolate=True) >> Template(text="done")))
    assert (found.text, written) == ("done", [])
    assert len(await simulator.calls()) == 1


async def started(client: Client, *input: object) -> Handle:
    return await client.start_workflow(
        "Call", args=input, id=f"test-{uuid4()}", task_queue="standard", result_type=Outcome
    )


async def test_an_input_that_is_no_job_ends_the_run_and_names_the_field(client: Client) -> None:
    written = job(Call(model="mini")).model_dump(mode="json")
    found = await result(await started(client, {**written, "request": {"messages": "Hello?"}, "new": 1}))
    assert isinstance(found, Failure)
    assert found.type == "InputError"
    assert found.message.startswith("the input is no job: request.messages: ")


async def test_a_run_without_an_input_ends(client: Client) -> None:
    found = await result(await started(client))
    assert isinstance(found, Failure)
    assert found.type == "internal_error"
    assert "job" in found.message


async def test_a_job_of_a_newer_release_waits_for_a_pool_that_can_read_it(client: Client) -> None:
    written = job(Call(model="mini")).model_dump(mode="json")
    handle = await started(client, {**written, "step": {**written["step"], "new": 1}})
    assert "new" in await task_failed(handle)
    await handle.terminate()
