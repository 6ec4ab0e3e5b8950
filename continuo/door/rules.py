"""What rules decide on a request before it is a run."""

from datetime import UTC, datetime

from continuo.authoring.library import Library
from continuo.authoring.prepare import MAX_INPUT_BYTES
from continuo.decided import Decision
from continuo.decisions import ruled as decisions
from continuo.errors import InputError, RefusedByRule
from continuo.jobs import Checkpoint, Job, Outcome
from continuo.patterns import Template


def ruled(library: Library, job: Job, *, chosen: bool = False) -> Job:
    """The job as the first rule that holds wants it: with a fixed answer in place of its pattern, with another pattern
    or another priority. Raises `RefusedByRule` where it refuses. What is embedded is no question, and passes by.

    Where an operator has `chosen` the pattern, it stays.
    """
    book = library.rules
    if book is None or job.request.embed or len(job.request.prompt) > MAX_INPUT_BYTES:
        return job
    # Loaded where there are rules.
    from continuo.decisions.rules import Question, answer

    context = job.context
    question = Question(job.request.prompt, job.data, context.tenant, context.pattern, datetime.now(UTC))
    rule = book.decided(question)
    if rule is None:
        return job
    if rule.refuse is not None:
        raise RefusedByRule(rule.refuse, rule.name)
    job = job.model_copy(update={"rule": rule.name})
    if rule.answer is not None and not chosen:
        # It is said beside a conversation, and no part of it.
        context = context.model_copy(update={"conversation": None})
        return job.model_copy(update={"step": Template(text=answer(rule, question), ruled=True), "context": context})
    if rule.priority is not None:
        context = context.model_copy(update={"priority": rule.priority})
    if rule.pattern is not None and not chosen:
        try:
            job = job.model_copy(update={"step": library.step(rule.pattern)})
        except InputError as error:
            raise InputError(f"rule {rule.name!r}: {error}") from None
        context = context.model_copy(update={"pattern": rule.pattern})
    return job.model_copy(update={"context": context})


def by_rule(job: Job) -> Decision:
    """What a rule has decided on the job."""
    if job.rule is None:
        return Decision(stage="rules", action="passed")
    return Decision(stage="rules", action="routed" if answer_of(job) is None else "answered", rule=job.rule)


def answer_of(job: Job) -> Outcome | None:
    """What a rule has answered; None where none has."""
    if not isinstance(job.step, Template) or not job.step.ruled or job.rule is None:
        return None
    return decisions.said(job.step).replaced(
        checkpoints=(Checkpoint(name=decisions.by_rule(job.rule), time=datetime.now(UTC)),)
    )
