from math import inf
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from continuo.evaluation.intervals import mean_interval
from continuo.evaluation.paired import EXACT, MANY, compare, holm, permutation_test

differences = st.lists(st.floats(-1, 1), max_size=8)
p_values = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1))


def drawn(count: int, mean: float = 0.0) -> list[float]:
    random = Random(count)
    return [max(-1.0, min(1.0, random.gauss(mean, 0.3))) for _ in range(count)]


@pytest.mark.parametrize("count", [2, 8, 10])
def test_of_few_differences_it_is_exact(count: int) -> None:
    exact = stats.permutation_test(
        (drawn(count), [0.0] * count), _mean_difference, permutation_type="samples", n_resamples=inf
    )
    assert permutation_test(drawn(count)) == pytest.approx(exact.pvalue)


@pytest.mark.parametrize("count", [EXACT, EXACT + 1, 200, MANY + 1])
@pytest.mark.parametrize("mean", [0, 0.02])
def test_of_many_it_is_near_the_t_test(count: int, mean: float) -> None:
    values = drawn(count, mean)
    assert permutation_test(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)


@pytest.mark.parametrize(("better", "worse"), [(0, 1), (1, 9), (9, 1), (5, 5), (60, 30), (2_000, 2_100)])
def test_of_passes_and_fails_it_is_mcnemars_exact_test(better: int, worse: int) -> None:
    values = [1.0] * better + [-1.0] * worse + [0.0] * 50
    assert permutation_test(values) == pytest.approx(stats.binomtest(better, better + worse).pvalue)


def test_rounding_of_floats_makes_no_difference() -> None:
    assert compare([0.2, 0.3, 0.8], [0.3, 0.2, 0.9]).p_value == 1
    assert compare([0.2, 0.8, 0.6, 0.0], [0.3, 0.9, 0.7, 0.3]).p_value == 0.125
    assert compare([0.2, 0.8, 0.6], [0.3, 0.9, 0.7]).difference == mean_interval([0.1] * 3, bounds=(-1, 1))


def test_the_same_seed_gives_the_same_p_value() -> None:
    assert permutation_test(drawn(50), seed=3) == permutation_test(drawn(50), seed=3)
    assert permutation_test(drawn(50), seed=3) != permutation_test(drawn(50), seed=4)


@given(differences)
def test_a_p_value_does_not_depend_on_which_side_is_which(values: list[float]) -> None:
    p_value = permutation_test(values)
    assert 0 < p_value <= 1
    assert permutation_test([-value for value in values]) == pytest.approx(p_value, abs=1e-6)


def test_a_comparison_says_by_how_much_the_candidate_is_better() -> None:
    comparison = compare([0.5, 0.6, 0.7, 0.4], [0.6, 0.8, 0.7, 0.6])
    assert [comparison.baseline, comparison.candidate] == pytest.approx([0.55, 0.675])
    assert comparison.difference.mean == pytest.approx(0.125)
    assert comparison.difference.low < 0 < comparison.difference.high
    assert comparison.p_value == 0.25


def test_holms_correction_is_that_of_the_text_books() -> None:
    corrected = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert corrected == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


@given(p_values)
def test_holms_correction_lies_between_none_and_that_of_bonferroni(p_values: dict[str, float]) -> None:
    corrected = holm(p_values)
    assert [*corrected] == [*p_values]
    assert all(p_values[name] <= corrected[name] <= min(1, len(p_values) * p_values[name]) + 1e-12 for name in p_values)


def _mean_difference(a: list[float], b: list[float]) -> float:
    return fmean(a) - fmean(b)
