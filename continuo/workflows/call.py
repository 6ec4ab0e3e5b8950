"""One model call: an activity on the priority's own queue, or a local one, with the step's retry policy."""

from temporalio import workflow

from continuo.activities.models import ModelCalls
from continuo.jobs import Job, Outcome
from continuo.patterns import Call
from continuo.protection.rate_limits import Wait
from continuo.temporal.activity_options import local_options, options
from continuo.workflows.accounted import accounted, ending
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import LOCAL_RETRIES
from continuo.workflows.run_account import run_account
from continuo.workflows.shield import check_cancelled
from continuo.workflows.step import run_inline


@run_inline.register
async def call(step: Call, job: Job) -> Outcome:
    async with accounted(job) as id:
        while isinstance(outcome := await _ask(step, job, id), Wait):
            # A timer, so that whoever waits for its turn holds no slot.
            check_cancelled()
            await workflow.sleep(outcome.seconds, summary=outcome.why)
            job = job.model_copy(update={"attempts": outcome.attempts, "failures": outcome.failures})
    run_account().include(outcome)
    return outcome


async def _ask(step: Call, job: Job, id: str | None) -> Outcome | Wait:
    summary = f"{job.path}: {step.model}" if job.path else step.model
    if not step.local:
        return await workflow.execute_activity_method(
            ModelCalls.call, job, activity_id=id, summary=summary, cancellation_type=ending(id), **options(step)
        )
    return await workflow.execute_local_activity_method(
        ModelCalls.call,
        job,
        activity_id=id,
        summary=summary,
        cancellation_type=ending(id),
        local_retry_threshold=LOCAL_RETRIES,
        **local_options(step),
    )


@workflow.defn(name="Call")
class CallWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
