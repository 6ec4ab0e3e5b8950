"""A fixed answer: what is said when no model can answer."""

from temporalio import workflow

from continuo.jobs import Job, Outcome
from continuo.patterns import Template
from workflows.step import run_inline, run_root


@run_inline.register
async def template(step: Template, job: Job) -> Outcome:
    return Outcome(text=step.text, served_by="template", fallback=True)


@workflow.defn(name="Template")
class TemplateWorkflow:
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await run_root(job, run_inline(job.step, job))
