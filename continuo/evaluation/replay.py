"""How questions of a table go through a pattern, as if its models were asked: by its decisions alone."""

from collections.abc import Iterable
from typing import NamedTuple

from continuo.decisions.classify import classify
from continuo.decisions.confidence import rating
from continuo.errors import InputError
from continuo.evaluation.table import Question
from continuo.patterns import Cached, Call, Cascade, Fallback, Route, Step
from continuo.patterns.base import numbered
from continuo.patterns.choices import BudgetUse, Intent
from continuo.patterns.walk import models_in, specs


class TakenCall(NamedTuple):
    """A call: the step's path in the pattern, and its model."""

    path: str
    model: str


class Taken(NamedTuple):
    """How a question went: its calls in their order, and the model whose answer stood, None where none did."""

    calls: tuple[TakenCall, ...]
    model: str | None


def models_of(step: Step) -> tuple[str, ...]:
    """The models that a pattern names, each once."""
    return tuple(dict.fromkeys(model for spec in specs(step) for model in models_in(spec).values()))


def answerable(step: Step, questions: Iterable[Question]) -> list[Question]:
    """The questions to which each model of a pattern has an answer.

    Raises `InputError` for a pattern without a model, and one that the table cannot answer.
    """
    models, questions = models_of(step), list(questions)
    if not models:
        raise InputError("the pattern names no model, so there is nothing to replay; name one that does")
    known = sorted({model for question in questions for model in question.models})
    if missing := [model for model in models if model not in known]:
        raise InputError(f"the table has no answers of {missing[0]!r}, but of {', '.join(known)}; name these models")
    whole = [question for question in questions if question.models.keys() >= {*models}]
    if not whole:
        raise InputError(f"no question of the table has an answer of each of {', '.join(models)}; log them together")
    return whole


def taken(step: Step, question: Question, path: str = "") -> Taken:
    """How a question goes through a pattern of calls, cascades and routes. No model of a table fails, and it has each
    prompt once: a fallback is its first step, and a cache what it holds.

    Raises `InputError` for a pattern that is made of anything else.
    """
    match step:
        case Call():
            return Taken((TakenCall(path, step.model),), step.model)
        case Route() if not isinstance(step.by, Intent | BudgetUse):
            name = step.branch(classify(step.by, question.prompt, None))
        case Cascade(judge=None):
            return _cascaded(step, question, path)
        case Fallback() | Cached():
            name = next(iter(step.nested()))
        case _:
            what = "calls, cascades without a judge, and routes that need no model"
            raise InputError(
                f"a {step.kind} like this cannot be decided by a table alone, as {what} can; see docs/evidence.md"
            )
    return taken(step.nested()[name], question, below(path, name))


def below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def rated(step: Step, path: str) -> bool:
    """Whether a cascade looks at how sure the call at `path` is."""
    for name in filter(None, path.split(".")):
        nested = step.nested()
        if isinstance(step, Cascade) and name != f"tier{len(step.steps)}":
            return True
        step = nested[name]
    return False


def _cascaded(step: Cascade, question: Question, path: str) -> Taken:
    calls: tuple[TakenCall, ...] = ()
    for number, (name, tier) in enumerate(numbered("tier", step.steps).items(), 1):
        tried = taken(tier, question, below(path, name))
        calls += tried.calls
        last = number == len(step.steps)
        threshold = step.thresholds[min(number, len(step.thresholds)) - 1]
        if last or rating(question.models[str(tried.model)].confidence, threshold).enough:
            return Taken(calls, tried.model)
    raise AssertionError("the last tier's answer stands")
