"""Whether a batch may begin one more item, and when a provider's own batches are left."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.batch import CANCELLING, EACH, hurry, may_begin

WINDOWS = st.integers(1, 20)


def run(window: int, budget: float | None, costs: list[int]) -> tuple[int, int]:
    """How many items are begun, and what they cost, when the oldest one under way ends each time."""
    spent, ended, in_flight, begun = 0, 0, list[int](), 0
    while True:
        while begun < len(costs) and may_begin(
            window=window, in_flight=len(in_flight), budget=budget, spent=spent, ended=ended
        ):
            in_flight.append(costs[begun])
            begun += 1
            assert len(in_flight) <= window
        if not in_flight:
            return begun, spent
        spent += in_flight.pop(0)
        ended += 1


@given(WINDOWS, st.lists(st.integers(0, 1000), max_size=50))
def test_without_a_budget_every_item_is_begun(window: int, costs: list[int]) -> None:
    assert run(window, None, costs) == (len(costs), sum(costs))


@given(WINDOWS, st.integers(1, 1000), st.integers(1, 100_000))
def test_of_items_that_cost_alike_the_last_one_alone_goes_over_the_budget(window: int, cost: int, budget: int) -> None:
    begun, spent = run(window, budget, [cost] * 200)
    assert spent < budget + cost
    assert begun == 200 or spent >= budget


@given(WINDOWS, st.integers(1, 100_000), st.lists(st.integers(0, 1000), max_size=50))
def test_none_is_left_while_there_is_money(window: int, budget: int, costs: list[int]) -> None:
    begun, spent = run(window, budget, costs)
    assert begun == len(costs) or spent >= budget


UNTIL = datetime(2026, 11, 27, tzinfo=UTC)


@given(st.integers(1, 100_000), WINDOWS, st.integers(-100_000, 100_000))
def test_a_provider_s_batches_are_first_cancelled_then_left_in_time_for_single_calls_of_the_rest(
    waiting: int, window: int, seconds: int
) -> None:
    soon = hurry(UNTIL, waiting, window)
    assert UNTIL - soon.leave >= EACH * waiting / window
    assert soon.leave - soon.cancel == CANCELLING
    assert hurry(UNTIL, waiting + 1, window).leave <= soon.leave
    stances = [soon.stance(UNTIL + timedelta(seconds=at)) for at in (seconds, seconds + 1)]
    order = ("wait", "cancel", "leave")
    assert order.index(stances[0]) <= order.index(stances[1])
    assert soon.stance(UNTIL) == "leave"


def test_with_nothing_waiting_there_is_nothing_to_hurry_for() -> None:
    assert hurry(UNTIL, 0, 50).leave == UNTIL
