"""A classifier picks one branch."""

from temporalio import workflow

from continuo.activities.admission import Admission
from continuo.decisions.classify import affordable, classify, label_in
from continuo.decisions.ruled import picked
from continuo.jobs import Job, Outcome
from continuo.patterns import Route
from continuo.patterns.choices import BudgetUse, Intent
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.recorded import recorded
from continuo.workflows.run_account import run_account
from continuo.workflows.step import run_inline, run_step, try_step


@run_inline.register
async def route(step: Route, job: Job) -> Outcome:
    label = await recorded(job, "label", await _label(step, job), str | None)
    branch = step.branch(label)
    run_account().note(picked(step, job, label))
    outcome = await run_step(step.branches[branch], job, branch)
    return outcome.model_copy(update={"branch": branch})


async def _label(step: Route, job: Job) -> str | None:
    if isinstance(step.by, BudgetUse):
        return affordable(step.by, await _used(job.context.tenant))
    if not isinstance(step.by, Intent):
        return classify(step.by, job.request.prompt, job.context.prefer)
    names = ", ".join(step.branches)
    system = f"Classify the user's message. Answer with exactly one of these labels and nothing else: {names}"
    result = await try_step(step.by.step, job.instructed(system), "classify")
    return label_in(result.text, step.branches) if isinstance(result, Outcome) else None


async def _used(tenant: str) -> float:
    return await workflow.execute_local_activity_method(Admission.used, tenant, schedule_to_close_timeout=STORE_LIMIT)


@workflow.defn(name="Route")
class RouteWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
