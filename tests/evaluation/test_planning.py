from collections.abc import Callable
from math import sqrt

import pytest
from scipy import stats

from continuo.errors import InputError
from continuo.evaluation.planning import size_for_means, size_for_pairs, size_for_rates
from continuo.evaluation.sequential import size_for_looks


@pytest.mark.parametrize(
    ("baseline", "effect", "size"), [(0.5, 0.1, 388), (0.1, 0.05, 686), (0.9, -0.1, 199), (0.02, 0.01, 3_826)]
)
def test_sizes_for_rates_are_those_of_the_tables(baseline: float, effect: float, size: int) -> None:
    assert size_for_rates(baseline, effect) == size


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("power", [0.8, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_sizes_for_means_are_the_least_that_give_a_t_test_its_power(effect: float, power: float, alpha: float) -> None:
    pairs = size_for_pairs(1, effect, power=power, alpha=alpha)
    assert pairs == pytest.approx(_least(lambda size: _power(effect * sqrt(size), size - 1, alpha), power), abs=1)
    means = size_for_means(1, effect, power=power, alpha=alpha)
    assert means == pytest.approx(
        _least(lambda size: _power(effect * sqrt(size / 2), 2 * size - 2, alpha), power), abs=1
    )


@pytest.mark.parametrize("size", [size_for_means, size_for_pairs, size_for_looks])
@pytest.mark.parametrize("value", [0, -0.1])
def test_an_effect_or_a_deviation_of_nothing_is_refused(size: Callable[[float, float], int], value: float) -> None:
    with pytest.raises(InputError, match=r"effect: .* choose one above 0"):
        size(1, value)
    with pytest.raises(InputError, match=r"sd: .* choose one above 0"):
        size(value, 0.1)


@pytest.mark.parametrize(("baseline", "effect"), [(0.5, 0), (0.95, 0.1), (0.05, -0.1), (1.5, -0.9)])
def test_a_rate_that_cannot_be_is_refused(baseline: float, effect: float) -> None:
    with pytest.raises(InputError, match="choose one that is"):
        size_for_rates(baseline, effect)


def _power(shift: float, freedom: int, alpha: float) -> float:
    limit = stats.t.ppf(1 - alpha / 2, freedom)
    return float(stats.nct.sf(limit, freedom, shift))


def _least(power_of: Callable[[int], float], power: float) -> int:
    low, high = 2, 10_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle + 1, high)
    return low
