"""Traffic between variants by weight, and copies of it to shadows."""

import asyncio
from collections.abc import Mapping

from temporalio import workflow
from temporalio.exceptions import FailureError

from continuo.activities.shifting import Splits
from continuo.decisions.traffic_split import kept_at, point, variant_at
from continuo.jobs import Job, Outcome
from continuo.patterns import Split, Step
from continuo.temporal.attributes import started
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import RUN, run_account
from continuo.workflows.shield import to_the_end
from continuo.workflows.step import child_id, run_inline, run_step


@run_inline.register
async def split(step: Split, job: Job) -> Outcome:
    weights = step.weights if step.adaptive is None else await _in_force(step, job)
    variant = await recorded(job, "variant", _drawn(step, job, weights), str)
    account = run_account()
    account.note(f"{job.path or 'split'}: variant {variant}")
    account.variant = account.variant or variant
    shadows = [
        asyncio.create_task(_shadow(shadow, job.of(shadow, f"shadow.{name}"))) for name, shadow in step.shadow.items()
    ]
    try:
        outcome = await run_step(step.variants[variant].step, job, variant)
        return outcome.model_copy(update={"variant": variant})
    finally:
        # They have long begun; a workflow that ends before its children have begun takes them with it.
        if shadows:
            await to_the_end(workflow.wait(shadows))


def _drawn(step: Split, job: Job, weights: Mapping[str, float]) -> str:
    """The variant of the job's user or session, or any where it has none."""
    key = job.context.user if step.sticky == "user" else job.context.session
    if key is None:
        return variant_at(weights, workflow.random().random())
    # The name of the pattern and the path are salt: a user who gets the one half here gets either elsewhere.
    salted = f"{job.context.pattern}/{job.path}/{key}"
    return variant_at(weights, point(salted)) if step.adaptive is None else kept_at(weights, salted)


async def _in_force(step: Split, job: Job) -> dict[str, float]:
    return await workflow.execute_local_activity_method(
        Splits.weights,
        args=[job.context.pattern, step.weights],
        schedule_to_close_timeout=STORE_LIMIT,
        summary=f"{job.path or 'split'}: weights",
    )


async def _shadow(step: Step, job: Job) -> None:
    """Start a copy that nobody waits for, on the queue where it takes no slot from an answer."""
    try:
        await workflow.start_child_workflow(
            type(step).__name__,
            job,
            id=child_id(job),
            task_queue="batch",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=started(job.context),
            static_summary=f"{job.path}: {step.kind}",
            memo={"shadow_of": RUN.get().id, **({"user": job.context.user} if job.context.user else {})},
        )
    except FailureError:
        workflow.logger.warning("the shadow did not start")


@workflow.defn(name="Split")
class SplitWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
