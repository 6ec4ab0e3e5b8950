"""Ordered tiers, best to acceptable: the next one runs when one has failed for good."""

from temporalio import workflow

from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Fallback
from continuo.temporal.failures import failed
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline, try_step


@run_inline.register
async def fallback(step: Fallback, job: Job) -> Outcome:
    reasons: list[str] = []
    for number, (name, tier) in enumerate(step.nested().items(), 1):
        result = await try_step(tier, job, name)
        if isinstance(result, Outcome):
            return result.model_copy(update={"tier": number, "reasons": (*reasons, *result.reasons)})
        reasons.append(f"tier {number}: {result.cause}")
    message = f"all {len(reasons)} tiers failed; {'; '.join(reasons)}"
    raise failed(Failure(type="FallbackExhausted", message=message, causes=tuple(reasons)))


@workflow.defn(name="Fallback")
class FallbackWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
