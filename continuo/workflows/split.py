"""Traffic between variants by weight, and copies of it to shadows."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

from continuo.decisions.traffic_split import point, variant_at
from continuo.jobs import Job, Outcome
from continuo.patterns import Split, Step
from continuo.temporal.attributes import started
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import RUN, run_account
from continuo.workflows.shield import to_the_end
from continuo.workflows.step import child_id, run_inline, run_step


@run_inline.register
async def split(step: Split, job: Job) -> Outcome:
    key = job.context.user if step.sticky == "user" else job.context.session
    # The name of the pattern and the path are salt: a user who gets the one half here gets either elsewhere.
    where = workflow.random().random() if key is None else point(f"{job.context.pattern}/{job.path}/{key}")
    drawn = variant_at({name: variant.weight for name, variant in step.variants.items()}, where)
    variant = await recorded(job, "variant", drawn, str)
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
