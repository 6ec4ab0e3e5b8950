"""A router that is learned on one half of a table, and tried on the other."""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from continuo.decisions.learned import features
from continuo.evaluation.table import Question
from continuo.evaluation.tuning import Curve, FloatArray, Tried, curve_of, halves, lost_at
from continuo.patterns import Call, Route, Step
from continuo.patterns.choices import FEATURES, Learned
from continuo.patterns.walk import replaced, specs

RIDGE = 10.0
"""How much a weight is held back, in questions that speak against it."""

STEPS = 12
"""Of Newton's method, which needs fewer."""

FOLDS = 5

HANDICAPS = np.concatenate([[0.0], np.geomspace(0.001, 1.0, 60)])
"""What the dearest branch loses by its cost; the others lose as much less as they cost less."""


def route_of(step: Step) -> Route | None:
    """The one route to two calls or more in a pattern that has no other."""
    match [spec for spec in specs(step) if isinstance(spec, Route)]:
        case [route] if len(route.branches) > 1 and all(isinstance(one, Call) for one in route.branches.values()):
            return route
    return None


def learned_route(step: Step, questions: Sequence[Question], max_loss: float) -> Curve:
    """What the one route in `step` does with a learned classifier that loses at most `max_loss` (0..1) of the dearest
    branch's accuracy at the least cost. It is learned and chosen by the training half alone.

    Raises `InputError` for too few questions.
    """
    training, rest = halves(questions)
    route = route_of(step)
    assert route is not None, "the caller looked"

    def point(by: Learned) -> tuple[str, Step]:
        new = route.model_copy(update={"by": by})
        return json.dumps(by.model_dump()), replaced(step, lambda part: new if part == route else part)

    return curve_of(_tried(route, training), point, rest, max_loss)


def _tried(route: Route, questions: Sequence[Question]) -> Iterator[Tried[Learned]]:
    seen = np.array([features(question.prompt) for question in questions])
    models = [branch.model for branch in route.branches.values() if isinstance(branch, Call)]
    answers = [[question.models[model] for question in questions] for model in models]
    right = np.array([[one.correct for one in each] for each in answers])
    usd = np.array([[one.cost(rated=False) for one in each] for each in answers])
    fitted = np.round([_fitted(seen, each) for each in right], 4)
    likely = np.array([_apart(seen, each) for each in right])
    means = usd.mean(axis=1)
    dearest, rows = int(means.argmax()), np.arange(len(questions))
    weights = {
        name: dict(zip(FEATURES, each.tolist(), strict=True)) for name, each in zip(route.branches, fitted, strict=True)
    }
    for handicap in HANDICAPS:
        handicaps = np.round(handicap * means / means[dearest], 6)
        label = (likely - handicaps[:, None]).argmax(axis=0)
        by = Learned(weights=weights, handicaps=dict(zip(route.branches, handicaps.tolist(), strict=True)))
        yield lost_at(by, usd[label, rows], right[label, rows], right[dearest])


def _apart(seen: FloatArray, right: FloatArray) -> FloatArray:
    """How likely each answer is right, as learned from other questions: of its own a router knows too much."""
    likely = np.zeros(len(right))
    for fold in range(FOLDS):
        aside = np.arange(len(right)) % FOLDS == fold
        likely[aside] = 1 / (1 + np.exp(-(seen[aside] @ _fitted(seen[~aside], right[~aside]))))
    return likely


def _fitted(seen: FloatArray, right: FloatArray) -> FloatArray:
    """The weights of a logistic regression with a ridge, of the features as they are."""
    spread = seen.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = seen / scale
    weights = np.zeros(seen.shape[1])
    hold = RIDGE * np.eye(len(weights))
    hold[0, 0] = 1e-6
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-np.clip(scaled @ weights, -30, 30)))
        curvature = (scaled * (likely * (1 - likely))[:, None]).T @ scaled + hold
        weights -= np.linalg.solve(curvature, scaled.T @ (likely - right) + hold @ weights)
    result: FloatArray = weights / scale
    return result
