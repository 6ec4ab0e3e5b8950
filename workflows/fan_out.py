"""Named branches at once, each a child workflow unless declared inline; then their answers are merged."""

import json
from collections.abc import Mapping

from temporalio import workflow

from continuo.choices import Concatenate, Merge
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import FanOut
from continuo.prompts import filled, listed
from workflows.base import PatternWorkflow
from workflows.failures import failed
from workflows.step import run_inline, run_step, try_step, within
from workflows.together import Found, together

NO_ANSWER = "(no answer)"


@run_inline.register
async def fan_out(step: FanOut, job: Job) -> Outcome:
    spare = len(step.branches) - (step.min_successes or len(step.branches))

    async def hopeless(found: Mapping[str, Found]) -> bool:
        return sum(isinstance(one, Failure) for one in found.values()) > spare

    found = await together({name: _branch(step, job, name) for name in step.branches}, hopeless)
    answers = {name: one for name, one in found.items() if isinstance(one, Outcome)}
    outputs = {name: one.text for name, one in answers.items()}
    causes = {name: f"{name}: {one.cause}" for name, one in found.items() if isinstance(one, Failure)}
    if len(causes) > spare:
        message = f"{len(causes)} of {len(step.branches)} branches failed, {spare} may; {'; '.join(causes.values())}"
        raise failed(Failure(type="FanOutFailed", message=message, causes=tuple(causes.values()), outputs=outputs))
    merged = await _merged(step, job, answers, outputs)
    return merged.model_copy(
        update={
            "outputs": outputs,
            "partial": bool(causes) or any(one.partial for one in answers.values()),
            "missing": tuple(causes),
            "reasons": tuple(causes.values()),
        }
    )


async def _branch(step: FanOut, job: Job, name: str) -> Found:
    work = try_step(step.branches[name], job, name, isolate=not step.inline)
    if step.branch_timeout is None:
        return await work
    late = Failure(type="DeadlineExceeded", message=f"no answer within {step.branch_timeout:g} s")
    return await within(step.branch_timeout, work) or late


async def _merged(step: FanOut, job: Job, answers: Mapping[str, Outcome], outputs: dict[str, str]) -> Outcome:
    merge = step.merge
    if isinstance(merge, Merge):
        absent = {name: NO_ANSWER for name in step.branches if name not in outputs}
        values = {**outputs, **absent, "input": job.request.prompt, "answers": listed({**outputs, **absent})}
        return await run_step(merge.step, job.asking(filled(merge.prompt, values)), "merge")
    served = {one.served_by for one in answers.values()}
    return Outcome(
        text=merge.separator.join(outputs.values()) if isinstance(merge, Concatenate) else json.dumps(outputs),
        served_by=served.pop() if len(served) == 1 else "model",
        simulated=any(one.simulated for one in answers.values()),
    )


@workflow.defn(name="FanOut")
class FanOutWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
