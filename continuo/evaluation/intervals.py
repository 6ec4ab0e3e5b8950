"""How sure a mean is, of scores that have a least and a greatest value.

The interval is Student's t: unlike a bootstrap it needs no seed, and is wide enough for the 5 to 30 examples of a tag,
where resampling what is there is too narrow. Of passes and fails it is Wilson's, which holds for shares near 0 and 1.
"""

from collections.abc import Sequence
from math import fsum, sqrt

from continuo.data import Data
from continuo.errors import InputError
from continuo.evaluation.distributions import t_quantile, z

CONFIDENCE = 0.95


class Estimate(Data):
    """A mean of `count` values, and between what it lies with the confidence that was wanted."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def mean_interval(
    values: Sequence[float], *, bounds: tuple[float, float] = (0, 1), confidence: float = CONFIDENCE
) -> Estimate:
    """The mean of one value or more, none of which can lie outside of `bounds`; else an `InputError`.

    Values that are all the same tell nothing of others: a share of values that may have been missed, by Wilson, is then
    taken to be anywhere within the bounds.
    """
    least, greatest = bounds
    count = len(values)
    if not count:
        raise InputError("scores: there are none; score one example at least")
    if outside := [value for value in values if not least <= value <= greatest]:
        raise InputError(f"scores: {outside[0]:g} is not within {least:g} to {greatest:g}; scale it")
    mean = fsum(values) / count
    if {*values} <= {least, greatest}:
        low, high = (
            least + share * (greatest - least)
            for share in share_interval(sum(value == greatest for value in values), count, confidence=confidence)
        )
    elif len({*values}) == 1:
        _, missed = share_interval(0, count, confidence=confidence)
        low, high = mean - missed * (mean - least), mean + missed * (greatest - mean)
    else:
        half = t_quantile(confidence, count - 1) * standard_deviation(values) / sqrt(count)
        low, high = mean - half, mean + half
    return Estimate(mean=mean, low=max(low, least), high=min(high, greatest), count=count)


def share_interval(part: float, count: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between what the share lies of which `part` in `count` (1 or more) were seen: Wilson's score interval."""
    squared = z((1 + confidence) / 2) ** 2
    middle = (part + squared / 2) / (count + squared)
    half = sqrt(squared * (part * (count - part) / count + squared / 4)) / (count + squared)
    return max(0.0, middle - half), min(1.0, middle + half)


def standard_deviation(values: Sequence[float]) -> float:
    """Of the population from which these two values or more are a sample."""
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
