"""What the standard library lacks of distributions: the beta, which is also Student's t and the binomial."""

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

BISECTIONS = 60
"""Halve an interval to less than what a float tells apart."""


def z(share: float) -> float:
    """Below how many standard deviations this share (between 0 and 1) of a normal distribution lies."""
    return NormalDist().inv_cdf(share)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The share of the beta distribution of `a` and `b` (above 0) that lies below `x`."""
    if not 0 < x < 1:
        return float(x >= 1)
    # On the other side of the mean the fraction converges badly, and the distribution is mirrored.
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    fraction = 1.0
    for m in range(50 + int(3 * sqrt(max(a, b))), 0, -1):
        odd = -x * (a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        even = x * m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
        fraction = 1 + even / (1 + odd / fraction)
    fraction = 1 - x * (a + b) / (a + 1) / fraction
    return exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a / fraction


def beta_quantile(share: float, a: float, b: float) -> float:
    """Below which value this share (0..1) of the beta distribution lies."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < share else (low, middle)
    return (low + high) / 2


@lru_cache
def t_quantile(confidence: float, freedom: int) -> float:
    """Within how many standard errors of 0 this share of Student's t of so many degrees of freedom lies."""
    share = beta_quantile(confidence, 1 / 2, freedom / 2)
    return sqrt(freedom * share / (1 - share))
