"""How many examples it takes to see a difference, by a two-sided test that looks once.

`effect` is the least difference that matters, `alpha` how often one is seen where there is none, `power` how often one
of that size is seen. For a test that looks again and again see `sequential`.
"""

from math import ceil, sqrt

from continuo.errors import InputError
from continuo.evaluation.distributions import z

ALPHA = 0.05
POWER = 0.8


def size_for_means(sd: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Examples for each of two arms whose scores have this standard deviation."""
    # The quarter is what the t test takes more than the normal distribution.
    return ceil(
        2 * (_distance(alpha, power) * positive("sd", sd) / positive("effect", effect)) ** 2 + z(1 - alpha / 2) ** 2 / 4
    )


def size_for_pairs(sd: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Examples that both have, where the differences of their scores have this standard deviation."""
    return ceil(
        (_distance(alpha, power) * positive("sd", sd) / positive("effect", effect)) ** 2 + z(1 - alpha / 2) ** 2 / 2
    )


def size_for_rates(baseline: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Examples for each of two arms, of which one passes at this rate and the other at `baseline + effect`."""
    other = baseline + effect
    if not (effect and 0 <= baseline <= 1 and 0 <= other <= 1):
        raise InputError(f"effect: from {baseline:g} by {effect:g} is not another rate from 0 to 1; choose one that is")
    between = (baseline + other) / 2
    chance = z(1 - alpha / 2) * sqrt(2 * between * (1 - between))
    seen = z(power) * sqrt(baseline * (1 - baseline) + other * (1 - other))
    return ceil(((chance + seen) / effect) ** 2)


def _distance(alpha: float, power: float) -> float:
    """Of the effect from none, in standard errors."""
    return z(1 - alpha / 2) + z(power)


def positive(name: str, value: float) -> float:
    """The value; an `InputError` where it is 0 or less."""
    if value <= 0:
        raise InputError(f"{name}: {value:g} is not to be planned with; choose one above 0")
    return value
