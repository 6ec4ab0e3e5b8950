"""The shares of an adaptive split follow from what is seen of its variants."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.evaluation.adaptive import STEP, Seen, Shift, evidence, in_force, next_shares
from continuo.evaluation.bandit import Share
from continuo.patterns import Adaptive

HALVES = {"a": 1.0, "b": 1.0}
GOOD, BAD = Seen(50, 0, 40, 38.0, 0.001), Seen(50, 0, 40, 10.0, 0.001)
seen = st.builds(
    lambda answered, rated, quality, failed, cost: Seen(
        answered + rated, failed, rated, rated * quality, cost if answered + rated else None
    ),
    st.integers(0, 100), st.integers(0, 100), st.floats(0, 1), st.integers(0, 100), st.floats(0, 1),
)  # fmt: skip


def test_traffic_goes_where_the_quality_is_and_each_share_says_why() -> None:
    shares = next_shares(Adaptive(floor=0.1), HALVES, {"a": GOOD, "b": BAD}, first=True)
    assert isinstance(shares, dict)
    assert {name: share.weight for name, share in shares.items()} == pytest.approx({"a": 0.9, "b": 0.1})
    assert shares["b"].why.startswith("50.0% → 10.0%: quality 0.25")


def test_nothing_is_shifted_before_each_has_ratings_enough_and_afterwards_one_may_have_few() -> None:
    few = {"a": GOOD, "b": Seen(20, 0, 9, 1.0, 0.001)}
    assert next_shares(Adaptive(), HALVES, few, first=True) == "waits for ratings: b has 9 of 10"
    assert next_shares(Adaptive(), HALVES, {"a": GOOD}, first=True) == "waits for ratings: b has 0 of 10"
    assert isinstance(next_shares(Adaptive(), HALVES, few, first=False), dict)


def test_an_answer_of_unknown_cost_is_not_taken_for_a_cheap_one() -> None:
    unpriced = {"a": GOOD, "b": GOOD._replace(cost_usd=None)}
    why = next_shares(Adaptive(), HALVES, unpriced, first=True)
    assert why == "what b costs is not known; give its models a price in the catalog"


@pytest.mark.parametrize("cost_usd", [None, 0.001])
def test_one_that_only_fails_is_left_though_its_failures_cost_nothing(cost_usd: float | None) -> None:
    failing = Seen(50 if cost_usd else 0, 50, 40 if cost_usd else 0, 38.0 if cost_usd else 0.0, cost_usd)
    shares = next_shares(Adaptive(floor=0.02), HALVES, {"a": GOOD, "b": failing}, first=False)
    assert isinstance(shares, dict)
    assert shares["b"].weight < 0.05


def test_a_failure_counts_as_often_as_answers_are_rated() -> None:
    found = evidence({"a": Seen(1000, 100, 10, 9.0, 0.5), "b": Seen(1000, 0, 10, 9.0, 0.25)})
    assert (found["a"].count, found["a"].quality, found["a"].cost) == (11, 9.0, 5.5)
    assert (found["b"].count, found["b"].quality, found["b"].cost) == (10, 9.0, 2.5)


@settings(max_examples=6)
@given(st.dictionaries(st.sampled_from("abc"), st.floats(0.01, 10), min_size=1), st.data())
def test_shares_keep_the_floor_and_are_settled_once_nothing_more_is_seen(
    now: dict[str, float], data: st.DataObject
) -> None:
    known = {name: data.draw(seen) for name in now}
    shares = next_shares(Adaptive(floor=0.1), now, known, first=False)
    if isinstance(shares, dict):
        assert sum(share.weight for share in shares.values()) == pytest.approx(1)
        assert all(share.weight >= 0.1 for share in shares.values())
        again = next_shares(Adaptive(floor=0.1), {name: one.weight for name, one in shares.items()}, known, first=False)
        assert again == f"no share would change by {STEP:.0%} or more"


def test_the_last_shift_is_in_force_until_other_weights_are_written() -> None:
    shares = {name: Share(weight=weight, why="") for name, weight in (("a", 0.75), ("b", 0.25))}
    last = Shift(number=1, time=datetime.now(UTC), action="shift", written=HALVES, shares=shares)
    assert in_force(HALVES, None) == HALVES
    assert in_force(HALVES, last) == {"a": 0.75, "b": 0.25}
    assert in_force({"a": 2.0, "b": 1.0}, last) == {"a": 2.0, "b": 1.0}
    assert in_force({**HALVES, "c": 1.0}, last) == {**HALVES, "c": 1.0}
    assert in_force(HALVES, last.model_copy(update={"action": "reset", "shares": {}})) == HALVES
