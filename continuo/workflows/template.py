"""A fixed answer: what is said when no model can answer."""

from temporalio import workflow

from continuo.decisions.ruled import said
from continuo.jobs import Job, Outcome
from continuo.patterns import Template
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline


@run_inline.register
async def template(step: Template, job: Job) -> Outcome:
    return said(step)


@workflow.defn(name="Template")
class TemplateWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
