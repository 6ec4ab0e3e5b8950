"""The cheapest step first; the next one while the answer's confidence is under its step's threshold."""

from temporalio import workflow

from continuo.decisions.confidence import JUDGE, Rating, judged, rating
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Cascade, Step
from continuo.patterns.base import numbered
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.recorded import recorded
from continuo.workflows.step import run_inline, try_step


@run_inline.register
async def cascade(step: Cascade, job: Job) -> Outcome:
    if step.judge is None:
        job = job.rated()
    best: tuple[float, Outcome] | None = None
    reasons: list[str] = []
    for number, (name, tier) in enumerate(numbered("tier", step.steps).items(), 1):
        result = await try_step(tier, job, name)
        if isinstance(result, Failure):
            reasons.append(f"tier {number}: {result.cause}")
            continue
        result = result.model_copy(update={"tier": number})
        if number == len(step.steps):
            return result.model_copy(update={"reasons": (*reasons, *result.reasons)})
        if step.judge is not None:
            confidence = await _judged(step.judge, job, result.text, f"judge{number}")
            result = result.model_copy(update={"confidence": confidence})
        threshold = step.thresholds[min(number, len(step.thresholds)) - 1]
        rated = await recorded(job, name, rating(result.confidence, threshold), Rating)
        if rated.enough:
            return result.model_copy(update={"reasons": (*reasons, *result.reasons)})
        reasons.append(f"tier {number}: confidence {rated.confidence:.2f} is under {rated.threshold:.2f}")
        if best is None or rated.confidence > best[0]:
            best = rated.confidence, result
    if best is None:
        message = f"all {len(reasons)} tiers failed; {'; '.join(reasons)}"
        raise failed(Failure(type="CascadeExhausted", message=message, causes=tuple(reasons)))
    outcome = best[1]
    return outcome.model_copy(update={"reasons": (*reasons, *outcome.reasons), "fallback": True})


async def _judged(judge: Step, job: Job, answer: str, name: str) -> float | None:
    """How sure the judge is of an answer; None where it fails, or says nothing that is a number."""
    question = job.request.prompt
    prompt = sized(f"Question:\n{question}\n\nAnswer:\n{answer}", "what the judge is asked")
    asking = job.asking(prompt).instructed(JUDGE)
    data = {**job.data, "question": question, "answer": answer}
    result = await try_step(judge, asking.model_copy(update={"data": data}), name)
    return judged(result.text) if isinstance(result, Outcome) else None


@workflow.defn(name="Cascade")
class CascadeWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
