import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from continuo.evaluation.distributions import beta_cdf, beta_quantile, t_quantile

shapes = st.floats(0.1, 5_000)


@given(st.floats(0, 1), shapes, shapes)
def test_a_share_of_the_beta_distribution_is_what_scipy_says(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-9)


@pytest.mark.parametrize("x", [-1, 0])
def test_nothing_of_it_is_below_0_and_all_below_1(x: float) -> None:
    assert beta_cdf(x, 2, 3) == 0
    assert beta_cdf(1 - x, 2, 3) == 1


@given(st.floats(0.001, 0.999), st.floats(0.5, 100), st.floats(0.5, 100))
def test_a_quantile_gives_the_share_back(share: float, a: float, b: float) -> None:
    assert beta_cdf(beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 30, 1_000, 100_000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_a_quantile_of_t_is_what_scipy_says(confidence: float, freedom: int) -> None:
    assert t_quantile(confidence, freedom) == pytest.approx(stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-7)
