import math

from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.backoff import JITTER, delay, too_long
from continuo.patterns import Retry

retries = st.builds(
    Retry,
    attempts=st.integers(1, 10),
    initial=st.floats(0.01, 60),
    factor=st.floats(1, 10),
    maximum=st.floats(0.01, 600),
)
unit = st.floats(0, 1)


@given(retries, st.integers(1, 10_000), unit)
def test_a_delay_stays_within_the_jitter_around_the_maximum(retry: Retry, failures: int, random: float) -> None:
    assert 0 < delay(retry, failures, None, random) <= retry.maximum * (1 + JITTER)


@given(retries, st.integers(1, 100))
def test_delays_never_shrink_as_failures_mount(retry: Retry, failures: int) -> None:
    assert delay(retry, failures, None, 0.5) <= delay(retry, failures + 1, None, 0.5)


@given(retries, st.integers(1, 100), st.floats(0, 3600), unit)
def test_what_the_provider_demands_decides_alone(retry: Retry, failures: int, demanded: float, random: float) -> None:
    assert delay(retry, failures, demanded, random) == demanded


@given(retries, st.none() | st.floats(0), st.integers(1, 100), unit)
def test_no_delay_is_longer_than_the_policy_allows_unless_it_is_too_long(
    retry: Retry, demanded: float | None, failures: int, random: float
) -> None:
    longest = retry.maximum if demanded is not None else retry.maximum * (1 + JITTER)
    assert too_long(retry, demanded) == (delay(retry, failures, demanded, random) > longest)


@given(retries)
def test_a_provider_may_ask_for_all_that_the_policy_allows(retry: Retry) -> None:
    assert not too_long(retry, retry.maximum)
    assert too_long(retry, math.nextafter(retry.maximum, math.inf))


def test_the_defaults_are_one_second_doubled_up_to_thirty() -> None:
    assert [delay(Retry(), n, None, 0.5) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
