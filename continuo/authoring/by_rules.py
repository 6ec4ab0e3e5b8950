"""A pattern by rules: the kinds that fit, out of models of which only the prices say how good they are."""

from collections.abc import Collection, Sequence

from continuo.config.catalog import Model
from continuo.patterns import Cached, Call, Ensemble, Fallback, Orchestrate, Route, Spec, Step, Template
from continuo.patterns.choices import Complexity, Meta

UNAVAILABLE = "No model can answer now. Please try again later."
SUBTASKS = 5


def composed(kinds: Collection[type[Spec]], models: Sequence[Model], seconds: float) -> Step:
    """Those of the `kinds` that models alone can do, inside each other; without any a call of the dearest model.

    `models` are at least one, the cheapest first. No call takes longer than its share of the `seconds`.
    """
    timeout = min(Call.model_fields["timeout"].default, seconds / (2 if Fallback in kinds else 1))
    calls = [Call(model=model.id, timeout=timeout) for model in models]
    cheapest, best = calls[0], calls[-1]
    step: Step = best
    if Ensemble in kinds:
        step = Ensemble(members=(*calls,) if len(calls) > 1 else (best, best), combine=Meta(step=best))
    if Orchestrate in kinds:
        step = Orchestrate(planner=best, executors=(cheapest, step), max_subtasks=SUBTASKS)
    elif Route in kinds and len(calls) > 1:
        middle = calls[len(calls) // 2]
        step = Route(by=Complexity(), branches={"low": cheapest, "medium": middle, "high": step})
    if Fallback in kinds:
        step = Fallback(steps=(step, _backup(models, calls)))
    return Cached(step) if Cached in kinds else step


def _backup(models: Sequence[Model], calls: Sequence[Call]) -> Step:
    """The dearest but one, of another provider if there is one; a text where there is no other model."""
    others = [*zip(models, calls, strict=True)][-2::-1]
    elsewhere = [call for model, call in others if model.provider != models[-1].provider]
    return next(iter([*elsewhere, *(call for _, call in others)]), Template(text=UNAVAILABLE))
