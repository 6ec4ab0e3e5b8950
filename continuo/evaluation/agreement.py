"""How far raters agree beyond chance: 1 wholly, 0 as chance would have it, below 0 less than that.

Ratings that are all the same do agree, and are 1, though they say nothing of chance.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from typing import Any, Literal

from continuo.data import Data
from continuo.errors import InputError

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Distance = Callable[[Any, Any], float]


class WithPeople(Data):
    """How far a judge agrees with people on so many `examples`: Cohen's kappa with quadratic weights, and
    Krippendorff's alpha (ordinal), of points from 1 to 5."""

    examples: int
    kappa: float
    alpha: float | None


def with_people(judge: Sequence[float], people: Sequence[float]) -> WithPeople:
    """Of what both gave the same examples, one or more, from 0 to 1."""
    pairs = [tuple(round(1 + 4 * value) for value in pair) for pair in zip(judge, people, strict=True)]
    kappa = weighted_kappa(*zip(*pairs, strict=True))
    return WithPeople(examples=len(pairs), kappa=kappa, alpha=krippendorff_alpha(pairs, "ordinal"))


def cohen_kappa(a: Sequence[str], b: Sequence[str]) -> float:
    """Of two raters' labels of the same examples, one or more, in the same order."""
    return _of_two(a, b, _differ)


def weighted_kappa(a: Sequence[float], b: Sequence[float]) -> float:
    """Of two raters' scores of the same examples: Cohen's with quadratic weights, where a near miss counts less."""
    return _of_two(a, b, _square)


def fleiss_kappa(ratings: Iterable[Sequence[str]]) -> float:
    """Of the labels of each example, which must be as many for each, two or more, from whichever raters."""
    examples = [Counter(labels) for labels in ratings]
    sizes = {labels.total() for labels in examples}
    if len(sizes) != 1 or min(sizes) < 2:
        raise InputError("ratings: each example needs as many, two or more; take Krippendorff's alpha of others")
    labels = _together(examples)
    if len(labels) == 1:
        return 1.0
    observed = sum(_alike(example) / (example.total() - 1) for example in examples) / labels.total()
    by_chance = sum(count**2 for count in labels.values()) / labels.total() ** 2
    return (observed - by_chance) / (1 - by_chance)


def krippendorff_alpha(ratings: Iterable[Sequence[str | float | None]], level: Level = "nominal") -> float | None:
    """Of the ratings of each example, however many, from whichever raters; None is a missing one.

    They are numbers, unless the level is nominal. None where no example has two.
    """
    rated = [Counter(value for value in values if value is not None) for values in ratings]
    examples = [values for values in rated if values.total() > 1]
    values = _together(examples)
    distance = _distance(level, values)
    if not examples:
        return None
    observed = fsum(_distances(example, example, distance) / (example.total() - 1) for example in examples)
    expected = _distances(values, values, distance) / (values.total() - 1)
    return 1 - observed / expected if expected else 1.0


def _of_two(a: Sequence[Any], b: Sequence[Any], distance: Distance) -> float:
    if not a or len(a) != len(b):
        raise InputError(f"ratings: {len(a)} and {len(b)}; give both raters' of the same examples, one or more")
    expected = _distances(Counter(a), Counter(b), distance) / len(a)
    return 1 - fsum(map(distance, a, b)) / expected if expected else 1.0


def _distance(level: Level, values: Mapping[Any, int]) -> Distance:
    if level == "nominal":
        return _differ
    if wrong := [value for value in values if isinstance(value, str)]:
        raise InputError(f"ratings: {wrong[0][:80]!r} is no number; give numbers, or take the level nominal")
    if level == "interval":
        return _square
    if level == "ordinal":
        ranks = _ranks(values)
        return lambda one, other: _square(ranks[one], ranks[other])
    if min(values, default=0) < 0:
        raise InputError(f"ratings: {min(values):g} is below 0; take another level than ratio")
    return lambda one, other: _square(one, other) / (one + other) ** 2 if one != other else 0.0


def _ranks(values: Mapping[float, int]) -> dict[float, float]:
    """Where each value is in the middle of all that are alike, of all in order."""
    ranks: dict[float, float] = {}
    before = 0
    for value in sorted(values):
        ranks[value] = before + values[value] / 2
        before += values[value]
    return ranks


def _differ(one: object, other: object) -> float:
    return float(one != other)


def _square(one: float, other: float) -> float:
    return (one - other) ** 2


def _distances(a: Mapping[Any, int], b: Mapping[Any, int], distance: Distance) -> float:
    """Of each value of the one from each of the other."""
    return fsum(distance(one, other) * a[one] * b[other] for one in a for other in b)


def _alike(example: Mapping[str, int]) -> int:
    """Pairs of ratings that are the same, either way round."""
    return sum(count * (count - 1) for count in example.values())


def _together(examples: Iterable[Counter[Any]]) -> Counter[Any]:
    values: Counter[Any] = Counter()
    for example in examples:
        values.update(example)
    return values
