"""Thresholds of a cascade, chosen on one half of a table and tried on the other."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import product

import numpy as np

from continuo.data import Data
from continuo.decisions.confidence import UNKNOWN
from continuo.errors import InputError
from continuo.evaluation.replay import taken
from continuo.evaluation.savings import Savings, savings
from continuo.evaluation.table import Question
from continuo.patterns import Call, Cascade, Step
from continuo.patterns.walk import replaced, specs

GRID = {1: 100, 2: 30, 3: 12}
"""How many thresholds of each tier are tried, by how many there are: in all some 1,000 to 2,000."""

SHOWN = 12
"""Points of a curve."""

LEAST = 50
"""Questions in each half."""


class Point(Data):
    """A pattern of a curve: what of it is tuned, as YAML has it, the accuracy that it lost on the training half (0..1
    below the dearest model), and all of it on the other half."""

    setting: str
    pattern: Step
    lost_in_training: float
    test: Savings


class Curve(Data):
    """Points that no other beat in training, the dearest first. `chosen` is the cheapest of them that lost no more
    there than was allowed; None where each lost more."""

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
    tried = _tried(cascade, training)

    def point(lost: float, thresholds: tuple[float, ...]) -> Point:
        new = cascade.model_copy(update={"thresholds": thresholds})
        pattern = replaced(step, lambda part: new if part == cascade else part)
        result = savings(pattern, rest, [taken(pattern, question) for question in rest])
        setting = f"[{', '.join(f'{one:g}' for one in thresholds)}]"
        return Point(setting=setting, pattern=pattern, lost_in_training=lost, test=result)

    front: list[tuple[float, tuple[float, ...]]] = []
    for _, lost, thresholds in sorted(tried):
        if not front or lost < front[-1][0]:
            front.append((lost, thresholds))
    chosen = next((each for each in front if each[0] <= max_loss), None)
    every = -(-len(front) // SHOWN)
    shown = [each for each in reversed(front) if each == chosen or front.index(each) % every == 0]
    points = {each: point(*each) for each in shown}
    return Curve(points=tuple(points.values()), chosen=chosen and points[chosen])


def _tried(cascade: Cascade, questions: Sequence[Question]) -> list[tuple[float, float, tuple[float, ...]]]:
    """USD for a question, accuracy lost, and the thresholds, of each that is tried."""
    tiers = [
        [question.models[tier.model] for question in questions] for tier in cascade.steps if isinstance(tier, Call)
    ]
    right = np.array([[one.correct for one in tier] for tier in tiers])
    usd = np.array([[one.cost(rated=tier is not tiers[-1]) for one in tier] for tier in tiers])
    sure = np.array([[UNKNOWN if one.confidence is None else one.confidence for one in tier] for tier in tiers[:-1]])
    shares = np.linspace(0, 1, GRID[len(sure)])
    # Rounded down, what is as sure as the threshold still passes.
    grid = [sorted({*(np.floor(np.quantile(tier, shares) * 1e4) / 1e4).tolist(), 1.0}) for tier in sure]
    results = []
    for thresholds in product(*grid):
        asked_on = np.cumprod(sure < np.array(thresholds)[:, None], axis=0)
        reached = np.vstack([np.ones(len(questions)), asked_on])
        stands = reached - np.vstack([asked_on, np.zeros(len(questions))])
        lost = float(right[-1].mean() - (right * stands).sum(axis=0).mean())
        results.append((float((usd * reached).sum(axis=0).mean()), lost, thresholds))
    return results
