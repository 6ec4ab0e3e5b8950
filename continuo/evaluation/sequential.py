"""Whether two variants differ, by a test that may be looked at after every score and stopped at any.

It is the mixture sequential probability ratio test (Robbins; Johari and others), whose mixture is as wide as the effect
that is looked for. It needs no more than each variant's count, sum and sum of squares, and no memory of former looks.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Literal

from continuo.data import Data
from continuo.errors import InputError
from continuo.evaluation.distributions import z
from continuo.evaluation.intervals import Estimate
from continuo.evaluation.planning import ALPHA, POWER, positive

Decision = Literal["better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True, slots=True)
class Tally:
    """What is kept of a variant's scores, each from 0 to 1."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, score: float) -> "Tally":
        return Tally(self.count + 1, self.total + score, self.squares + score * score)

    @property
    def mean(self) -> float:
        """Of one score or more."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """As if there were one score of 0 and one of 1 more: a few that are alike are no certainty."""
        return (self.squares + 1) / (self.count + 2) - ((self.total + 1) / (self.count + 2)) ** 2


class Look(Data):
    """What is known by now of b minus a: the interval and the p-value hold at all looks together.

    `decision` is of b; "equivalent" is that they differ by less than the effect. Each but "undecided" may end the test.
    """

    difference: Estimate
    p_value: float
    decision: Decision


def look(a: Tally, b: Tally, effect: float, *, alpha: float = ALPHA) -> Look:
    """Compare two variants; one without a score is an `InputError`. Of several pairs divide `alpha` by their number."""
    if not (a.count and b.count):
        raise InputError("scores: a variant has none yet; wait for one of each")
    mean = b.mean - a.mean
    half = _half(_variance(a, b), positive("effect", effect), alpha)
    low, high = max(-1.0, mean - half), min(1.0, mean + half)
    difference = Estimate(mean=mean, low=low, high=high, count=a.count + b.count)
    return Look(difference=difference, p_value=p_value(a, b, effect), decision=_decision(low, high, effect))


def p_value(a: Tally, b: Tally, effect: float) -> float:
    """How often, without a difference, any look ever shows this much or more."""
    variance, mixture = _variance(a, b), effect**2
    both = variance + mixture
    evidence = (b.mean - a.mean) ** 2 * mixture / (2 * variance * both)
    return min(1.0, sqrt(both / variance) * exp(-evidence))


def size_for_looks(sd: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Scores for each of two variants, by which a difference of `effect` is seen this often, at whichever look.

    `sd` is the standard deviation of the scores: of passes at a rate of p it is the root of p * (1 - p).
    """
    variance = 2 * positive("sd", sd) ** 2

    def enough(size: int) -> bool:
        wanted = _half(variance / size, positive("effect", effect), alpha) + z(power) * sqrt(variance / size)
        return wanted <= effect

    high = 1
    while not enough(high):
        high *= 2
    return bisect_left(range(high), True, lo=1, key=enough)


def _variance(a: Tally, b: Tally) -> float:
    """Of the difference of their means."""
    return a.variance / a.count + b.variance / b.count


def _half(variance: float, effect: float, alpha: float) -> float:
    """Of the confidence sequence: how far the mean's difference may lie from the true one."""
    both = variance + effect**2
    return sqrt(variance * both / effect**2 * log(both / (variance * alpha**2)))


def _decision(low: float, high: float, effect: float) -> Decision:
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "equivalent" if -effect < low and high < effect else "undecided"
