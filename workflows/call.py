"""One model call: an activity on the priority's own queue, with the step's retry policy."""

from temporalio import workflow

from activities.models import ModelCalls
from continuo.jobs import Job, Outcome
from continuo.patterns import Call
from workflows.activity_options import options
from workflows.step import run_inline, run_root


@run_inline.register
async def call(step: Call, job: Job) -> Outcome:
    where = f"{job.path}: " if job.path else ""
    return await workflow.execute_activity_method(ModelCalls.call, job, summary=f"{where}{step.model}", **options(step))


@workflow.defn(name="Call")
class CallWorkflow:
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await run_root(job, run_inline(job.step, job))
