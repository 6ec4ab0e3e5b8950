"""A function of one's own code, as an activity that is cancelled before anything that would undo it begins."""

from temporalio import workflow

from continuo.activities.functions import FunctionCalls
from continuo.jobs import Job, Outcome
from continuo.patterns import Python
from continuo.temporal.activity_options import options
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline


@run_inline.register
async def python(step: Python, job: Job) -> Outcome:
    outcome = await workflow.execute_activity_method(
        FunctionCalls.python,
        job,
        summary=f"{job.path}: {step.function}",
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        **options(step, once=job.once),
    )
    run_account().note(f"{job.path or 'python'}: {step.function} returned")
    return outcome


@workflow.defn(name="Python")
class PythonWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
