"""One model call: an activity on the priority's own queue, with the step's retry policy."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType

from activities.models import ModelCalls
from continuo.jobs import Account, CallRecord, Job, Outcome
from continuo.limits import Wait
from continuo.patterns import Call
from workflows.activity_options import STORE_LIMIT, options
from workflows.base import PatternWorkflow
from workflows.failures import failure_of
from workflows.shield import check_cancelled, to_the_end
from workflows.step import run_inline
from workflows.trace import trace


@run_inline.register
async def call(step: Call, job: Job) -> Outcome:
    where = f"{job.path}: " if job.path else ""
    # What a cancelled call may have cost is known when its request has been closed.
    waits = workflow.patched("cancelled-calls-are-booked")
    ending = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if waits else ActivityCancellationType.TRY_CANCEL
    # Known also when the answer comes with the run's cancellation: then the SDK tells of that alone.
    id = str(workflow.uuid4()) if workflow.patched("calls-have-ids") else None
    try:
        while isinstance(
            outcome := await workflow.execute_activity_method(
                ModelCalls.call,
                job,
                summary=f"{where}{step.model}",
                activity_id=id,
                cancellation_type=ending,
                **options(step),
            ),
            Wait,
        ):
            # A timer, so that whoever waits for its turn holds no slot.
            check_cancelled()
            await workflow.sleep(outcome.seconds, summary=outcome.why)
    except (FailureError, asyncio.CancelledError) as error:
        failure = failure_of(error)
        asked = id or (error.activity_id if isinstance(error, ActivityError) else None)
        if failure.calls:
            trace().include(failure)
        elif waits and asked:
            await to_the_end(_account(job, asked))
        elif is_cancelled_exception(error):
            trace().calls.append(CallRecord(path=job.path, model=step.model, status="cancelled"))
        raise
    trace().include(outcome)
    return outcome


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
