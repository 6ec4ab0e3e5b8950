from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from continuo.errors import InputError
from continuo.evaluation.intervals import mean_interval, share_interval

scores = st.lists(st.integers(0, 20).map(lambda part: part / 20), min_size=1, max_size=12)


def test_an_interval_of_scores_is_students_t() -> None:
    values = [0.2, 0.5, 0.4, 0.9, 0.7]
    interval = stats.t.interval(0.95, 4, loc=stats.tmean(values), scale=stats.sem(values))
    estimate = mean_interval(values)
    assert estimate.count == 5
    assert [estimate.mean, estimate.low, estimate.high] == pytest.approx([0.54, *interval])
    assert str(estimate) == "0.540 (0.205 to 0.875)"


@pytest.mark.parametrize(("part", "count"), [(0, 1), (1, 1), (0, 20), (19, 20), (500, 1_000)])
def test_an_interval_of_passes_and_fails_is_wilsons(part: int, count: int) -> None:
    wilson = stats.binomtest(part, count).proportion_ci(method="wilson")
    assert share_interval(part, count) == pytest.approx((wilson.low, wilson.high), abs=1e-12)
    estimate = mean_interval([1.0] * part + [0.0] * (count - part))
    assert (estimate.low, estimate.high) == share_interval(part, count)


def test_scores_that_are_all_the_same_are_no_certainty() -> None:
    few, many = mean_interval([0.8] * 3), mean_interval([0.8] * 3_000)
    assert few.low < 0.4
    assert 0.798 < many.low < many.mean < many.high < 0.801


@given(scores, st.floats(0.5, 0.99))
def test_an_interval_holds_the_mean_and_keeps_to_the_bounds(values: list[float], confidence: float) -> None:
    estimate = mean_interval(values, confidence=confidence)
    assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1


@given(scores)
def test_bounds_only_move_and_stretch_it(values: list[float]) -> None:
    moved = mean_interval([2 * value - 1 for value in values], bounds=(-1, 1))
    estimate = mean_interval(values)
    assert [moved.low, moved.high] == pytest.approx([2 * estimate.low - 1, 2 * estimate.high - 1], abs=1e-6)


def test_of_skewed_scores_of_ten_examples_nineteen_intervals_of_twenty_hold_the_true_mean() -> None:
    random = Random(1)
    intervals = [mean_interval([random.betavariate(4, 1) for _ in range(10)]) for _ in range(500)]
    assert sum(each.low <= 0.8 <= each.high for each in intervals) >= 460


@pytest.mark.parametrize(("values", "message"), [([], "there are none"), ([0.5, 1.5], "1.5 is not within 0 to 1")])
def test_wrong_scores_are_refused(values: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mean_interval(values)
