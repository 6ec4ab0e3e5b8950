"""A time limit around a step."""

from temporalio import workflow

from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Deadline
from continuo.temporal.failures import failed
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline, run_step, within


@run_inline.register
async def deadline(step: Deadline, job: Job) -> Outcome:
    outcome = await within(step.limit, run_step(step.step, job, "step"))
    if outcome is not None:
        return outcome
    reason = f"no answer within {step.limit:g} s"
    if step.otherwise is None:
        raise failed(Failure(type="DeadlineExceeded", message=f"{reason}; allow more, or say what answers otherwise"))
    outcome = await run_step(step.otherwise, job, "otherwise")
    return outcome.model_copy(update={"fallback": True, "reasons": (reason, *outcome.reasons)})


@workflow.defn(name="Deadline")
class DeadlineWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
