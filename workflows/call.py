"""One model call: an activity on the priority's own queue, or a local one, with the step's retry policy."""

import asyncio
from uuid import uuid5

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType

from activities.models import ModelCalls
from continuo.jobs import Account, CallRecord, Job, Outcome
from continuo.limits import Wait
from continuo.patterns import Call
from workflows.activity_options import LOCAL_RETRIES, STORE_LIMIT, local_options, options
from workflows.base import PatternWorkflow
from workflows.failures import failure_of
from workflows.shield import check_cancelled, to_the_end
from workflows.step import run_inline
from workflows.trace import trace


@run_inline.register
async def call(step: Call, job: Job) -> Outcome:
    # What a cancelled call may have cost is known when its request has been closed, and by an id of its own also when
    # its answer comes with the run's cancellation: the SDK tells of that alone. Runs of an earlier version have none.
    # A local one's is of its path too: a task that was undone had drawn the same number, maybe for another call.
    id = str(uuid5(workflow.uuid4(), job.path)) if job.revision >= 1 else None
    if step.local:
        trace().local_calls.append(str(id))
    try:
        while isinstance(outcome := await _ask(step, job, id), Wait):
            # A timer, so that whoever waits for its turn holds no slot.
            check_cancelled()
            await workflow.sleep(outcome.seconds, summary=outcome.why)
    except (FailureError, asyncio.CancelledError) as error:
        failure = failure_of(error)
        if failure.calls:
            trace().include(failure)
        elif id:
            trace().local_calls_cancelled |= step.local
            await to_the_end(_account(job, id))
        elif is_cancelled_exception(error):
            trace().calls.append(CallRecord(path=job.path, model=step.model, status="cancelled"))
        raise
    trace().include(outcome)
    return outcome


async def _ask(step: Call, job: Job, id: str | None) -> Outcome | Wait:
    summary = f"{job.path}: {step.model}" if job.path else step.model
    ending = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if id else ActivityCancellationType.TRY_CANCEL
    if not step.local:
        return await workflow.execute_activity_method(
            ModelCalls.call, job, activity_id=id, summary=summary, cancellation_type=ending, **options(step)
        )
    return await workflow.execute_local_activity_method(
        ModelCalls.call,
        job,
        activity_id=id,
        summary=summary,
        cancellation_type=ending,
        local_retry_threshold=LOCAL_RETRIES,
        **local_options(step),
    )


async def _account(job: Job, activity_id: str) -> None:
    """Ask the ledger what an activity had spent that ended without telling."""
    identity = f"{workflow.info().run_id}/{activity_id}"
    try:
        account: Account = await workflow.execute_local_activity_method(
            ModelCalls.account_of, args=[job, identity], schedule_to_close_timeout=STORE_LIMIT
        )
    except FailureError as error:
        workflow.logger.error(f"what {job.path or 'the call'} has cost is unknown: {failure_of(error).message}")
        assert isinstance(job.step, Call)
        account = Account(calls=(CallRecord(path=job.path, model=job.step.model, status="cancelled"),))
    trace().include(account)


@workflow.defn(name="Call")
class CallWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
