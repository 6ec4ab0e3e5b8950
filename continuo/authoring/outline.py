"""A pattern as a tree of few words, for people to read."""

from collections.abc import Mapping

from continuo.authoring.estimate import Estimate, estimate
from continuo.authoring.to_yaml import duration
from continuo.config.catalog import Catalog
from continuo.data import Data
from continuo.decisions.combine import quorum
from continuo.patterns import (
    Cached,
    Call,
    Cascade,
    Deadline,
    Ensemble,
    FanOut,
    Http,
    Python,
    Route,
    Saga,
    Split,
    Step,
    Template,
)
from continuo.patterns.choices import Majority, WeightedVote

TEXT = 40
"""Characters of a template's text that are shown."""


class Node(Data):
    """A step: its name in paths, its kind, its numbers in few words, what it takes at worst, and what is below it."""

    name: str
    kind: str
    about: str = ""
    worst: Estimate
    below: tuple["Node", ...] = ()


def outline(step: Step, name: str, catalog: Catalog, *, input_tokens: int, output_tokens: int) -> Node:
    """The tree of `step`, its aliases resolved. Figures are those of `continuo.authoring.estimate`."""
    return Node(
        name=name,
        kind=step.kind,
        about=_about(step, catalog),
        worst=estimate(step, catalog, input_tokens=input_tokens, output_tokens=output_tokens),
        below=tuple(
            outline(below, inner, catalog, input_tokens=input_tokens, output_tokens=output_tokens)
            for inner, below in step.nested().items()
        ),
    )


def _about(step: Step, catalog: Catalog) -> str:
    words = _numbers(step, catalog)
    return ", ".join([*words, "isolated"] if step.isolate and not isinstance(step, Saga) else words)


def _numbers(step: Step, catalog: Catalog) -> list[str]:
    match step:
        case Call():
            return [f"{step.model} ({_price(step.model, catalog)})", _tried(step)]
        case Http():
            return [f"{step.method} {step.service}{step.path}", _tried(step)]
        case Python():
            return [step.function, _tried(step)]
        case Template():
            text = " ".join(step.text.split())
            return [f'"{text}"' if len(text) <= TEXT else f'"{text[:TEXT].rstrip()}…"']
        case Cascade():
            return [f"confidence {', '.join(f'{one:g}' for one in step.thresholds)}"]
        case Route():
            return [f"by {step.by.kind}", *([f"default {step.default}"] if step.default else [])]
        case FanOut():
            needed = step.min_successes or len(step.branches)
            limit = [f"{duration(step.branch_timeout)} a branch"] if step.branch_timeout else []
            return [step.merge.kind, f"{needed} of {len(step.branches)} must answer", *limit]
        case Ensemble():
            return [_combined(step)]
        case Cached():
            key = [f"key {', '.join(step.key)}"] if step.key else []
            semantic = [f"like by {step.semantic.model} from {step.semantic.threshold:g}"] if step.semantic else []
            return [f"ttl {duration(step.ttl)}", *key, *semantic]
        case Deadline():
            return [f"limit {duration(step.limit)}"]
        case Split():
            return [", ".join(_shares({name: one.weight for name, one in step.variants.items()}))]
        case Saga():
            return [f"an undo is run {step.undo_retry.attempts} times at most"]
    return []


def _price(model: str, catalog: Catalog) -> str:
    found = catalog.models.get(model)
    if found is None or found.price is None:
        return "price unknown"
    return f"${found.price.input:g} in, ${found.price.output:g} out per 1 M tokens"


def _tried(step: Call | Http | Python) -> str:
    return f"{step.retry.attempts} x {duration(step.timeout)}"


def _combined(step: Ensemble) -> str:
    combine = step.combine
    if isinstance(combine, Majority):
        return f"majority, quorum {quorum(step)} of {len(step.members)}"
    if isinstance(combine, WeightedVote) and combine.weights:
        return f"weighted_vote, weights {', '.join(f'{one:g}' for one in combine.weights)}"
    return combine.kind


def _shares(weights: Mapping[str, float]) -> list[str]:
    return [f"{name} {weight / sum(weights.values()):.0%}" for name, weight in weights.items()]
