"""Named branches at once, each a child workflow unless declared inline; then their answers are merged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from continuo.decisions.parts import parts
from continuo.decisions.prompts import filled, listed
from continuo.jobs import Failure, Job, Outcome, ServedBy
from continuo.patterns import FanOut
from continuo.patterns.choices import Concatenate, Merge
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline, run_step, try_step, within
from continuo.workflows.together import Result, together

NO_ANSWER = "(no answer)"
FAILED = "FanOutFailed"


@dataclass
class Answers:
    """What the branches came to: the texts of those that answered, and why the others did not (`untold` of some)."""

    outputs: dict[str, str] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    untold: int = 0
    served: set[ServedBy] = field(default_factory=set)
    simulated: bool = False
    partial: bool = False

    def add(self, outputs: Mapping[str, str], answer: Outcome) -> None:
        self.outputs.update(outputs)
        self.served.add(answer.served_by)
        self.simulated |= answer.simulated
        self.partial |= answer.partial


@run_inline.register
async def fan_out(step: FanOut, job: Job) -> Outcome:
    cut = parts(step)
    # Runs of an earlier version began all branches in one workflow.
    answers = await (_in_parts(step, job, cut) if cut and workflow.patched("parts") else _at_once(step, job))
    merged = await _merged(step, job, answers)
    missing = tuple(name for name in step.branches if name not in answers.outputs)
    result = merged.replaced(
        outputs=answers.outputs, partial=answers.partial or bool(missing), missing=missing, reasons=answers.causes
    )
    return result.omitting(reasons=answers.untold)


async def _at_once(step: FanOut, job: Job) -> Answers:
    spare = len(step.branches) - (step.min_successes or len(step.branches))

    async def hopeless(results: Mapping[str, Result]) -> bool:
        return sum(isinstance(one, Failure) for one in results.values()) > spare

    results = await together({name: partial(_branch, step, job, name) for name in step.branches}, hopeless)
    answers = Answers(causes=tuple(f"{name}: {one.cause}" for name, one in results.items() if isinstance(one, Failure)))
    for name, one in results.items():
        if isinstance(one, Outcome):
            answers.add({name: one.text}, one)
    if await hopeless(results):
        failures = f"{len(answers.causes)} of {len(step.branches)} branches failed, {spare} may"
        raise _failed(failures, answers)
    return answers


async def _in_parts(step: FanOut, job: Job, cut: Mapping[str, FanOut]) -> Answers:
    """One part after the other, each with the failures that those before it have left over."""
    spare = len(step.branches) - (step.min_successes or len(step.branches))
    answers = Answers()
    for name, part in cut.items():
        size = len(part.branches)
        wanted = part.model_copy(update={"min_successes": max(1, size - spare)})
        result = await try_step(wanted, job, name, isolate=True)
        if isinstance(result, Outcome):
            outputs = json.loads(result.text)
            answers.add(outputs, result)
            answers.causes += result.reasons
            answers.untold += result.omitted.get("reasons", 0)
            spare -= size - len(outputs)
        else:
            answers.causes += result.causes
            answers.untold += result.omitted.get("causes", 0)
            if result.type != FAILED or spare < size:
                answers.outputs.update(result.outputs)
                raise _failed(f"{name} of {len(cut)}: {result.cause}", answers)
            spare -= size
    return answers


def _failed(message: str, answers: Answers) -> ApplicationError:
    message = "; ".join((message, *answers.causes))
    failure = Failure(type=FAILED, message=message, causes=answers.causes, outputs=answers.outputs)
    return failed(failure.omitting(causes=answers.untold))


async def _branch(step: FanOut, job: Job, name: str) -> Result:
    work = try_step(step.branches[name], job, name, isolate=not step.inline)
    if step.branch_timeout is None:
        return await work
    late = Failure(type="DeadlineExceeded", message=f"no answer within {step.branch_timeout:g} s")
    return await within(step.branch_timeout, work) or late


async def _merged(step: FanOut, job: Job, answers: Answers) -> Outcome:
    merge, outputs = step.merge, answers.outputs
    if isinstance(merge, Merge):
        absent = {name: NO_ANSWER for name in step.branches if name not in outputs}
        values = {**outputs, **absent, "input": job.request.prompt, "answers": listed({**outputs, **absent})}
        prompt = sized(filled(merge.prompt, values), "the prompt of merge")
        return await run_step(merge.step, job.asking(prompt), "merge")
    text = merge.separator.join(outputs.values()) if isinstance(merge, Concatenate) else json.dumps(outputs)
    return Outcome(
        text=sized(text, "the branches' answers"),
        served_by=next(iter(answers.served)) if len(answers.served) == 1 else "model",
        simulated=answers.simulated,
    )


@workflow.defn(name="FanOut")
class FanOutWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
