"""What a call has cost is told, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid5

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType

from continuo.activities.models import ModelCalls
from continuo.jobs import Account, CallRecord, Job
from continuo.patterns import Call
from continuo.temporal.failures import failure_of
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.run_account import run_account
from continuo.workflows.shield import to_the_end


@asynccontextmanager
async def accounted(job: Job) -> AsyncIterator[str | None]:
    """Inside, the job's call is made by an activity of the id that this gives; a failure or cancellation is told.

    By an id of its own what it cost is known also when its answer comes with the run's cancellation, of which alone the
    SDK tells. Runs of an earlier version have none. It is bound to the path: a task of the workflow that was undone had
    drawn the same number, maybe for another call.
    """
    step = job.step
    assert isinstance(step, Call)
    id = str(uuid5(workflow.uuid4(), job.path)) if job.revision >= 1 else None
    if id:
        run_account().begun.append(id)
    try:
        yield id
    except (FailureError, asyncio.CancelledError) as error:
        failure = failure_of(error)
        if failure.calls:
            run_account().include(failure)
        elif id:
            await to_the_end(_include(step, job, id))
        elif is_cancelled_exception(error):
            run_account().calls.append(CallRecord(path=job.path, model=step.model, status="cancelled"))
        raise


def ending(id: str | None) -> ActivityCancellationType:
    """What a cancelled call may have cost is known when its request has been closed."""
    return ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if id else ActivityCancellationType.TRY_CANCEL


async def _include(step: Call, job: Job, id: str) -> None:
    """Ask the ledger what an activity had spent that ended without telling."""
    identity = f"{workflow.info().run_id}/{id}"
    try:
        account: Account = await workflow.execute_local_activity_method(
            ModelCalls.account_of, args=[job, identity], schedule_to_close_timeout=STORE_LIMIT
        )
    except FailureError as error:
        workflow.logger.error(f"what {job.path or 'the call'} has cost is unknown: {failure_of(error).message}")
        account = Account(calls=(CallRecord(path=job.path, model=step.model, status="cancelled"),))
    run_account().include(account)
