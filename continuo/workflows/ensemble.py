"""The same question to several members, each a child workflow unless declared inline; their answers are combined."""

from collections.abc import Mapping
from functools import partial

from temporalio import workflow

from continuo.decisions.combine import decided, decision
from continuo.decisions.prompts import filled, listed
from continuo.decisions.vote import Decision, Vote, number
from continuo.jobs import Alternative, Failure, Job, Outcome
from continuo.patterns import Ensemble
from continuo.patterns.choices import Average, Majority, Meta
from continuo.temporal.failures import failed, sized
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.recorded import recorded
from continuo.workflows.step import run_inline, run_step, try_step
from continuo.workflows.together import Result, together


@run_inline.register
async def ensemble(step: Ensemble, job: Job) -> Outcome:
    member_job = job if isinstance(step.combine, Average | Meta) else job.rated()
    members = {f"member{number}": member for number, member in enumerate(step.members, 1)}
    work = {
        name: partial(try_step, member, member_job, name, isolate=not step.inline) for name, member in members.items()
    }

    async def settled(results: Mapping[str, Result]) -> bool:
        """Once the members still running can change nothing, they need not run."""
        if not results or not isinstance(step.combine, Majority):
            return False
        over = decided(step, _votes(results), len(members) - len(results))
        return await recorded(job, "decided", over, bool)

    results = await together(work, settled)
    causes = {name: f"{name}: {cause}" for name, one in results.items() if (cause := _uncounted(step, one)) is not None}
    outcome = await _combined(step, job, {name: one for name, one in results.items() if isinstance(one, Outcome)})
    if outcome is None:
        return await _otherwise(step, job, (*_heard(results, causes), *causes.values()))
    # A quorum was met whoever else is missing; any other decision lacks a voice.
    lacking = bool(causes) and not isinstance(step.combine, Majority)
    return outcome.replaced(missing=tuple(causes), reasons=tuple(causes.values()), partial=lacking)


async def _combined(step: Ensemble, job: Job, answers: Mapping[str, Outcome]) -> Outcome | None:
    """The answer, or None if the members come to no decision."""
    if not answers:
        return None
    if isinstance(step.combine, Meta):
        values = {"input": job.request.prompt, "answers": listed({name: one.text for name, one in answers.items()})}
        prompt = sized(filled(step.combine.prompt, values), "the prompt of meta")
        written = await run_step(step.combine.step, job.asking(prompt), "merge")
        return written.model_copy(update={"consensus": "meta", "alternatives": _others(answers, None)})
    decided = decision(step, _votes(answers))
    if decided is not None and decided.winner:
        # Its text is in the history already, as the winner's answer.
        decided = decided.model_copy(update={"text": ""})
    decided = await recorded(job, "decision", decided, Decision | None)
    if decided is None:
        return None
    chosen = answers[decided.winner] if decided.winner else Outcome(text=decided.text, served_by="model")
    return chosen.model_copy(
        update={
            "consensus": decided.consensus,
            "confidence": decided.confidence,
            "alternatives": () if decided.consensus == "unanimous" else _others(answers, decided.winner),
            "simulated": any(one.simulated for one in answers.values()),
        }
    )


async def _otherwise(step: Ensemble, job: Job, reasons: tuple[str, ...]) -> Outcome:
    if step.otherwise is None:
        message = f"the members came to no decision; {'; '.join(reasons)}"
        raise failed(Failure(type="NoConsensus", message=message, causes=reasons))
    outcome = await run_step(step.otherwise, job, "otherwise")
    return outcome.model_copy(update={"fallback": True, "reasons": reasons})


def _heard(results: Mapping[str, Result], causes: Mapping[str, str]) -> list[str]:
    """What those with a voice have said."""
    return [f"{one.member}: {one.text}" for one in _votes(results) if one.member not in causes]


def _uncounted(step: Ensemble, result: Result) -> str | None:
    """Why a member has no voice: it failed, or is to be averaged and names no number."""
    if isinstance(result, Failure):
        return result.cause
    combine = step.combine
    averaged = not isinstance(combine, Average) or number(result.text, combine.field) is not None
    return None if averaged else f"no number in {result.text[:80]!r}"


def _votes(results: Mapping[str, Result]) -> list[Vote]:
    return [
        Vote(member=name, text=one.text, confidence=one.confidence)
        for name, one in results.items()
        if isinstance(one, Outcome)
    ]


def _others(answers: Mapping[str, Outcome], winner: str | None) -> tuple[Alternative, ...]:
    return tuple(
        Alternative(member=name, text=one.text, model=one.model, confidence=one.confidence)
        for name, one in answers.items()
        if name != winner
    )


@workflow.defn(name="Ensemble")
class EnsembleWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
