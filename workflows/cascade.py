"""The cheapest step first; the next one while the answer's confidence is under its step's threshold."""

from temporalio import workflow

from continuo.confidence import UNKNOWN
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Cascade
from workflows.base import PatternWorkflow
from workflows.failures import failed
from workflows.step import run_inline, try_step


@run_inline.register
async def cascade(step: Cascade, job: Job) -> Outcome:
    job = job.rated()
    best: Outcome | None = None
    reasons: list[str] = []
    for number, (name, tier) in enumerate(step.nested().items(), 1):
        found = await try_step(tier, job, name)
        if isinstance(found, Failure):
            reasons.append(f"tier {number}: {found.cause}")
            continue
        found = found.model_copy(update={"tier": number})
        confidence, threshold = sure(found), step.thresholds[min(number, len(step.thresholds)) - 1]
        if confidence >= threshold or number == len(step.steps):
            return found.model_copy(update={"reasons": tuple(reasons)})
        reasons.append(f"tier {number}: confidence {confidence:.2f} is under {threshold:.2f}")
        best = found if best is None else max(best, found, key=sure)
    if best is None:
        message = f"all {len(reasons)} tiers failed; {'; '.join(reasons)}"
        raise failed(Failure(type="CascadeExhausted", message=message, causes=tuple(reasons)))
    return best.model_copy(update={"reasons": tuple(reasons), "fallback": True})


def sure(outcome: Outcome) -> float:
    return UNKNOWN if outcome.confidence is None else outcome.confidence


@workflow.defn(name="Cascade")
class CascadeWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
