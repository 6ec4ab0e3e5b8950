"""Steps in order, each fed what those before it answered."""

from temporalio import workflow

from continuo.decisions.prompts import filled
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Pipeline
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline, try_step


@run_inline.register
async def pipeline(step: Pipeline, job: Job) -> Outcome:
    outputs: dict[str, str] = {}
    values = {"input": job.request.prompt}
    step_job, outcome = job, None
    for part in step.steps:
        if part.prompt is not None or outputs:
            prompt = filled(part.prompt or "{previous}", {**outputs, **values})
            step_job = job.asking(sized(prompt, f"the prompt of step {part.name!r}"))
        result = await try_step(part.step, step_job, part.name)
        if isinstance(result, Failure):
            message = f"step {part.name!r} failed: {result.message}"
            cause = f"{part.name}: {result.cause}"
            raise failed(Failure(type="PipelineFailed", message=message, causes=(cause,), outputs=outputs))
        outcome = result
        outputs[part.name] = values["previous"] = result.text
    assert outcome is not None, "a pipeline has a step"
    return outcome.replaced(outputs=outputs)


@workflow.defn(name="Pipeline")
class PipelineWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
