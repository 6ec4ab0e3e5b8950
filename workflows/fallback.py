"""Ordered tiers, best to acceptable: the next one runs when one has failed for good."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.patterns import Fallback
from workflows.failures import failed, failure_of
from workflows.step import run_inline, run_root, run_step


@run_inline.register
async def fallback(step: Fallback, job: Job) -> Outcome:
    reasons: list[str] = []
    calls: tuple[CallRecord, ...] = ()
    for number, tier in enumerate(step.steps, 1):
        try:
            outcome = await run_step(tier, job, f"tier{number}")
        except FailureError as error:
            # A cancelled tier is not the next one's turn: the caller has left.
            if is_cancelled_exception(error):
                raise
            failure = failure_of(error)
            reasons.append(f"tier {number}: {failure.type}: {failure.message}")
            calls += failure.calls
        else:
            return outcome.including(calls).model_copy(update={"tier": number, "reasons": tuple(reasons)})
    message = f"all {len(reasons)} tiers failed; {'; '.join(reasons)}"
    raise failed(Failure(type="FallbackExhausted", message=message, causes=tuple(reasons), calls=calls))


@workflow.defn(name="Fallback")
class FallbackWorkflow:
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await run_root(job, run_inline(job.step, job))
