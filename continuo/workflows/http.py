"""One request to a service, as an activity that is cancelled before anything that would undo it begins."""

from temporalio import workflow

from continuo.activities.services import ServiceCalls
from continuo.jobs import Job, Outcome
from continuo.patterns import Http
from continuo.temporal.activity_options import options
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline


@run_inline.register
async def http(step: Http, job: Job) -> Outcome:
    return await workflow.execute_activity_method(
        ServiceCalls.http,
        job,
        summary=f"{job.path}: {step.method} {step.service}",
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        **options(step, once=job.once),
    )


@workflow.defn(name="Http")
class HttpWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
