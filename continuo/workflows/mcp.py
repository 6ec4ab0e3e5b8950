"""A call of an MCP server's tool, as an activity that is cancelled before anything that would undo it begins."""

from temporalio import workflow

from continuo.activities.mcp import ToolCalls
from continuo.jobs import Job, Outcome
from continuo.patterns import Mcp
from continuo.temporal.activity_options import options
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline


@run_inline.register
async def mcp(step: Mcp, job: Job) -> Outcome:
    return await workflow.execute_activity_method(
        ToolCalls.mcp,
        job,
        summary=f"{job.path}: {step.tool} of {step.server}",
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        **options(step, once=job.once),
    )


@workflow.defn(name="Mcp")
class McpWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
