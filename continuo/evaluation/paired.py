"""Whether two candidates do differently on the same examples."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import erfc, fsum, sqrt
from operator import getitem
from random import Random

from continuo.data import Data
from continuo.evaluation.distributions import beta_cdf
from continuo.evaluation.intervals import Estimate, mean_interval

EXACT = 16
"""Up to so many differences every combination of signs is tried, of more `RESAMPLES` at random."""
RESAMPLES = 10_000
MANY = 1_000
"""Of more differences than this the sums of all combinations are spread as the normal distribution, to three digits."""


class Comparison(Data):
    """The mean of candidate minus baseline, and how often chance alone makes as large a one (two-sided)."""

    baseline: float
    candidate: float
    difference: Estimate
    p_value: float


def compare(baseline: Sequence[float], candidate: Sequence[float], *, seed: int = 0) -> Comparison:
    """Scores (0..1) of the same examples, one or more, in the same order."""
    # Rounded, since as floats .3 - .2 is not .9 - .8, and would pass for another difference.
    differences = [round(after - before, 12) for before, after in zip(baseline, candidate, strict=True)]
    difference = mean_interval(differences, bounds=(-1, 1))
    return Comparison(
        baseline=fsum(baseline) / len(baseline),
        candidate=fsum(candidate) / len(candidate),
        difference=difference,
        p_value=permutation_test(differences, seed=seed),
    )


def permutation_test(differences: Sequence[float], *, seed: int = 0) -> float:
    """How often the sum is as far from 0 if each difference had either sign alike: a two-sided p-value.

    Of passes and fails it is McNemar's exact test.
    """
    sizes = [abs(difference) for difference in differences if difference]
    if len({*sizes}) <= 1:
        return _sign_test(sum(difference > 0 for difference in differences), len(sizes))
    limit = abs(fsum(differences)) - 1e-9  # what is as far from 0 is not always the same float
    if len(sizes) > MANY:
        return erfc(limit / sqrt(2 * fsum(size * size for size in sizes)))
    # A byte is the signs of eight differences: its sum is looked up.
    tables = [_signed_sums(sizes[start : start + 8]) for start in range(0, len(sizes), 8)]
    if len(sizes) <= EXACT:
        sums = [abs(sum(signed)) for signed in product(*tables)]
        return sum(total >= limit for total in sums) / len(sums)
    random = Random(seed)
    sums = [abs(sum(map(getitem, tables, random.randbytes(len(tables))))) for _ in range(RESAMPLES)]
    return (sum(total >= limit for total in sums) + 1) / (RESAMPLES + 1)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """What each is once it is corrected for there being several, so that chance seldom brings even one of them under a
    level: no more often than the level says."""
    corrected: dict[str, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        least = max(least, min(1.0, p_values[name] * (len(p_values) - rank)))
        corrected[name] = least
    return {name: corrected[name] for name in p_values}


def _sign_test(positive: int, count: int) -> float:
    fewer = min(positive, count - positive)
    return min(1.0, 2 * beta_cdf(1 / 2, count - fewer, fewer + 1)) if count else 1.0


def _signed_sums(sizes: Sequence[float]) -> list[float]:
    """Of each combination of signs, 256 of them: what is missing of eight counts as 0."""
    sums = [0.0]
    for size in [*sizes, *[0.0] * (8 - len(sizes))]:
        sums = [total + size for total in sums] + [total - size for total in sums]
    return sums
