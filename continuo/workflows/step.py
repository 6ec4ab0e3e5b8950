"""How a step is run: as a coroutine of the same workflow, or as a child workflow named after its spec."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import singledispatch
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Step
from continuo.temporal.failures import failure_of
from continuo.temporal.task_timeout import task_timeout
from continuo.workflows.run_account import RUN, run_account
from continuo.workflows.shield import check_cancelled, end, to_the_end
from continuo.workflows.unexpected import unexpected_as_failures

T = TypeVar("T")
Child = workflow.ChildWorkflowHandle[Any, Outcome]


@singledispatch
async def run_inline(step: Step, job: Job) -> Outcome:
    """Interpret `step`, which is `job.step`, in this workflow. Each pattern's file registers its own."""
    raise NotImplementedError(type(step).__name__)


async def run_step(step: Step, job: Job, name: str, *, isolate: bool = False) -> Outcome:
    """Run a step nested in the job's own under `name`. Raises a `FailureError` when it gives no answer.

    It is a child workflow if it says so itself or `isolate` does.
    """
    check_cancelled()
    nested = job.of(step, name)
    workflow.set_current_details(f"Running `{nested.path}` ({step.kind})")
    id = child_id(nested) if step.isolate or isolate else None
    with run_account().step(nested, id), unexpected_as_failures():
        outcome = await (run_inline(step, nested) if id is None else _run_child(nested, id))
        check_cancelled()
        return outcome


async def try_step(step: Step, job: Job, name: str, *, isolate: bool = False) -> Outcome | Failure:
    """`run_step`, with a failure as a value. A cancellation still raises: a caller who left wants no other answer. So
    does a stream that broke, behind which no other answer may come."""
    try:
        return await run_step(step, job, name, isolate=isolate)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        failure = failure_of(error)
        if failure.type == "stream_broken":
            raise
        return failure


def child_id(job: Job) -> str:
    """The id of a child workflow: the whole run's, and where in the whole pattern the child's step stands."""
    return f"{RUN.get().id}.{job.path}"


async def within(seconds: float, work: Coroutine[None, None, T]) -> T | None:
    """What `work` comes to, or None if that takes longer than `seconds`: then it is cancelled and has cleaned up."""
    task = asyncio.create_task(work)
    try:
        await workflow.wait([task], timeout=seconds)
        return task.result() if task.done() else None
    finally:
        await end([task])


async def _run_child(job: Job, id: str) -> Outcome:
    starting = workflow.start_child_workflow(
        type(job.step).__name__,
        job,
        id=id,
        result_type=Outcome,
        task_timeout=task_timeout(job.step),
        static_summary=f"{job.path}: {job.step.kind}",
        cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    try:
        child = await (_started(starting) if job.revision >= 1 else starting)
        outcome = await (_ended(child) if job.revision >= 3 else child)
    except FailureError as error:
        # What a cancelled child had spent it has told by a signal.
        run_account().include(failure_of(error))
        raise
    run_account().include(outcome)
    return outcome


async def _started(starting: Coroutine[None, None, Child]) -> Child:
    """The child, once it has begun. A cancellation that comes while it is being started is handed on to it, which may
    have a way back: with the SDK's own start the parent would end at once, and the child be terminated."""
    task, length = asyncio.create_task(starting), workflow.info().get_current_history_length()
    try:
        await workflow.wait([task])
    except asyncio.CancelledError:
        if workflow.info().get_current_history_length() == length:
            # The server has not heard of it yet, and need not.
            await end([task])
            raise
        with suppress(asyncio.CancelledError):
            await to_the_end(workflow.wait([task]))
        child = task.result()
        child.cancel()
        return child
    return task.result()


async def _ended(child: Child) -> Outcome:
    """The child's outcome. A cancellation is handed on to it, unless it has ended in the same workflow task: the SDK
    would drop what it came to, and with it what it has cost."""
    try:
        await workflow.wait([child])
    except asyncio.CancelledError:
        with suppress(asyncio.CancelledError):
            # Looked at when all else has run that the workflow task brought.
            await to_the_end(workflow.wait_condition(lambda: True))
        if not child.done():
            child.cancel()
    outcome: Outcome = await child
    return outcome
