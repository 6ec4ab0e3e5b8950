"""A pattern that is composed when the run begins."""

from temporalio import workflow

from continuo.activities.composing import Composed, Composing
from continuo.decisions.composing import composed_by
from continuo.jobs import Failure, Job, Outcome
from continuo.messages import Message
from continuo.patterns import Auto
from continuo.temporal.failures import failed
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.step import run_inline, run_step, try_step

FAILED = "AutoFailed"


@run_inline.register
async def auto(step: Auto, job: Job) -> Outcome:
    by_rules = await workflow.execute_local_activity_method(
        Composing.by_rules, job, schedule_to_close_timeout=STORE_LIMIT
    )
    by_model, wrong = await _by_model(step, job, by_rules.instructions)
    composed = by_model or by_rules
    reasons = tuple(f"the model's pattern: {one}" for one in wrong)
    if composed.step is None:
        raise failed(Failure(type=FAILED, message=f"nothing was composed: {composed.reasons[0]}", causes=reasons))
    # As a child it has the time for its tasks that local calls need, and is seen by its own name.
    outcome = await run_step(composed.step, job, "composed", isolate=True)
    return outcome.replaced(reasons=(*reasons, *composed.reasons, *outcome.reasons))


async def _by_model(step: Auto, job: Job, instructions: str) -> tuple[Composed | None, tuple[str, ...]]:
    """What the step's model has composed, if it has one and that can be used; and what was wrong."""
    if (by := step.by) is None or not instructions:
        return None, ()
    names = iter(("compose", "repair"))

    async def ask(turns: tuple[Message, ...]) -> Outcome | Failure:
        asking = {"messages": turns, "max_tokens": None}
        request = job.instructed(instructions).request.model_copy(update=asking)
        return await try_step(by, job.model_copy(update={"request": request}), next(names))

    async def check(text: str) -> Composed | str:
        composed = await workflow.execute_local_activity_method(
            Composing.check, args=[job, text], schedule_to_close_timeout=STORE_LIMIT
        )
        return composed.reasons[0] if composed.step is None else composed

    return await composed_by(ask, check, step.wish)


@workflow.defn(name="Auto")
class AutoWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
