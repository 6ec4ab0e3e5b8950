"""How a step is run: as a coroutine of the same workflow, or as a child workflow named after its spec."""

import asyncio
from collections.abc import Coroutine
from functools import singledispatch

from temporalio import workflow

from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Step
from workflows.attributes import finished
from workflows.failures import failed


@singledispatch
async def run_inline(step: Step, job: Job) -> Outcome:
    """Interpret `step`, which is `job.step`, in this workflow. Each pattern's file registers its own."""
    raise NotImplementedError(type(step).__name__)


async def run_step(step: Step, job: Job, name: str) -> Outcome:
    """Run a step nested in the job's own under `name`. Raises a `FailureError` when it gives no answer."""
    nested = job.of(step, name)
    workflow.set_current_details(f"Running `{nested.path}` ({step.kind})")
    if not step.isolate:
        return await run_inline(step, nested)
    outcome: Outcome = await workflow.execute_child_workflow(
        type(step).__name__,
        nested,
        id=f"{workflow.info().workflow_id}.{nested.path}",
        result_type=Outcome,
        static_summary=f"{nested.path}: {step.kind}",
        cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    return outcome


async def run_root(job: Job, work: Coroutine[None, None, Outcome]) -> Outcome:
    """The whole of a workflow's `run`: the deadline around `work`, and the account of the run on its outcome."""
    info = workflow.info()
    deadline = job.context.deadline if info.parent is None else None
    outcome = await (work if deadline is None else within(deadline, work))
    workflow.upsert_search_attributes(finished(outcome))
    workflow.set_current_details(f"Answered by {outcome.model or outcome.served_by}")
    return outcome.model_copy(
        update={
            "latency_ms": round((workflow.now() - info.start_time).total_seconds() * 1000, 3),
            "workflow_id": info.workflow_id,
            "run_id": info.run_id,
        }
    )


async def within(seconds: float, work: Coroutine[None, None, Outcome]) -> Outcome:
    """Cancel `work` after `seconds`, let it clean up, and fail with `DeadlineExceeded`."""
    task = asyncio.create_task(work)
    try:
        await workflow.wait([task], timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        return await task
    if task.done():
        return task.result()
    task.cancel()
    await workflow.wait([task])
    message = f"no answer within {seconds:g} s; allow more with --deadline"
    raise failed(Failure(type="DeadlineExceeded", message=message))
