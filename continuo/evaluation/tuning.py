"""Thresholds of a cascade, chosen on one half of a table and tried on the other; and the curve of any such choice."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import product
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from continuo.data import Data
from continuo.decisions.confidence import UNKNOWN
from continuo.errors import InputError
from continuo.evaluation.gate import Limits, Sides, Verdict, judge
from continuo.evaluation.replay import taken
from continuo.evaluation.savings import Savings, savings
from continuo.evaluation.table import Question
from continuo.patterns import Call, Cascade, Spec, Step
from continuo.patterns.walk import replaced, specs

GRID = {1: 100, 2: 30, 3: 12}
"""How many thresholds of each tier are tried, by how many there are: in all some 1,000 to 2,000."""

SHOWN = 12
"""Points of a curve."""

LEAST = 50
"""Questions in each half."""

LEAST_EFFECT = 1e-4
"""Less of a loss of accuracy does not matter to anybody."""


T = TypeVar("T")
FloatArray = NDArray[np.float64]


class Tried(NamedTuple, Generic[T]):
    """Something that was tried in training: USD for a question, and the accuracy that it lost. `at_worst` is that with
    its standard error: what is chosen of so many by chance looks better than it is."""

    what: T
    usd: float
    lost: float
    at_worst: float


class Point(Data):
    """A pattern of a curve: what of it is tuned, as YAML has it, the accuracy that it lost on the training half (0..1
    below the dearest model), and all of it on the other half."""

    setting: str
    pattern: Step
    lost_in_training: float
    test: Savings


class Curve(Data):
    """Points that no other beat in training, the dearest first. `chosen` is the cheapest of them that lost no more
    there, at worst, than was allowed; None where each lost more."""

    points: tuple[Point, ...]
    chosen: Point | None


def halves(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The questions to train on and those to try on, always the same by their prompts. Raises `InputError` for few."""
    sides: tuple[list[Question], list[Question]] = ([], [])
    for question in questions:
        sides[sha256(question.prompt.encode()).digest()[0] % 2].append(question)
    if min(map(len, sides)) < LEAST:
        raise InputError(f"{len(questions)} questions are too few to tune by; give some {3 * LEAST} at least")
    return sides


def cascade_of(step: Step) -> Cascade | None:
    """The one cascade of calls in a pattern that has no other."""
    match [spec for spec in specs(step) if isinstance(spec, Cascade)]:
        case [Cascade(judge=None, steps=tiers) as cascade] if all(isinstance(tier, Call) for tier in tiers):
            return cascade if 1 < len(tiers) <= max(GRID) + 1 else None
    return None


def tuned_cascade(step: Step, questions: Sequence[Question], max_loss: float) -> Curve:
    """The thresholds of the one cascade in `step` that lose at most `max_loss` (0..1) of the last tier's accuracy at
    the least cost. They are chosen by the training half alone, as if every question came to the cascade.

    Raises `InputError` for too few questions.
    """
    training, rest = halves(questions)
    cascade = cascade_of(step)
    assert cascade is not None, "the caller looked"

    def point(thresholds: tuple[float, ...]) -> tuple[str, Step]:
        setting = f"[{', '.join(f'{one:g}' for one in thresholds)}]"
        return setting, replaced(step, lambda part: _with(part, cascade, "thresholds", thresholds))

    return curve_of(_tried(cascade, training), point, rest, max_loss)


def curve_of(
    tried: Iterable[Tried[T]], point: Callable[[T], tuple[str, Step]], rest: Sequence[Question], max_loss: float
) -> Curve:
    """The curve of what was tried; `point` makes the setting, and the pattern that has it."""

    def measured(one: Tried[T]) -> Point:
        setting, pattern = point(one.what)
        result = savings(pattern, rest, [taken(pattern, question) for question in rest])
        return Point(setting=setting, pattern=pattern, lost_in_training=one.lost, test=result)

    front: list[Tried[T]] = []
    for one in sorted(tried, key=lambda one: (one.usd, one.at_worst)):
        if not front or one.at_worst < front[-1].at_worst:
            front.append(one)
    chosen = next((number for number, one in enumerate(front) if one.at_worst <= max_loss), None)
    every = -(-len(front) // SHOWN)
    shown = [number for number in reversed(range(len(front))) if number % every == 0 or number == chosen]
    points = {number: measured(front[number]) for number in shown}
    return Curve(points=tuple(points.values()), chosen=None if chosen is None else points[chosen])


def gated(point: Point, questions: Sequence[Question], max_loss: float) -> Verdict:
    """Whether the pattern of a curve loses significantly more than `max_loss` (0..1) of the dearest model's accuracy on
    the half of the `questions` that it was not chosen by."""
    _, rest = halves(questions)
    baseline, candidate = dict[str, float](), dict[str, float]()
    for number, question in enumerate(rest):
        model = taken(point.pattern, question).model
        baseline[str(number)] = question.models[point.test.dearest_model].correct
        candidate[str(number)] = question.models[model].correct if model else 0.0
    # A gate has an effect between 0 and 1, without these.
    effect = min(max(max_loss, LEAST_EFFECT), 1 - LEAST_EFFECT)
    return judge({"accuracy": Sides(baseline, candidate)}, {}, Limits(min_effect=effect))


def lost_at(what: T, usd: FloatArray, right: FloatArray, best: FloatArray) -> Tried[T]:
    """What was tried, by what each question then costs and how right it is, and how right the dearest model is."""
    lost = best - right
    return Tried(what, float(usd.mean()), float(lost.mean()), float(lost.mean() + lost.std() / np.sqrt(len(lost))))


def _with(part: Data, old: Spec, field: str, value: object) -> Data:
    return part.model_copy(update={field: value}) if part == old else part


def _tried(cascade: Cascade, questions: Sequence[Question]) -> Iterator[Tried[tuple[float, ...]]]:
    tiers = [
        [question.models[tier.model] for question in questions] for tier in cascade.steps if isinstance(tier, Call)
    ]
    right = np.array([[one.correct for one in tier] for tier in tiers])
    usd = np.array([[one.cost(rated=tier is not tiers[-1]) for one in tier] for tier in tiers])
    sure = np.array([[UNKNOWN if one.confidence is None else one.confidence for one in tier] for tier in tiers[:-1]])
    shares = np.linspace(0, 1, GRID[len(sure)])
    # Rounded down, what is as sure as the threshold still passes.
    grid = [sorted({*(np.floor(np.quantile(tier, shares) * 1e4) / 1e4).tolist(), 1.0}) for tier in sure]
    for thresholds in product(*grid):
        passed_on = np.cumprod(sure < np.array(thresholds)[:, None], axis=0)
        reached = np.vstack([np.ones(len(questions)), passed_on])
        stands = reached - np.vstack([passed_on, np.zeros(len(questions))])
        yield lost_at(thresholds, (usd * reached).sum(axis=0), (right * stands).sum(axis=0), right[-1])
