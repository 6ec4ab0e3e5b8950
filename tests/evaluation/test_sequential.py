from collections.abc import Callable
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.evaluation.planning import size_for_means
from continuo.evaluation.sequential import Tally, look, p_value, size_for_looks

Draw = Callable[[Random], float]
scores = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def passing(rate: float) -> Draw:
    return lambda random: float(random.random() < rate)


def judged(random: Random) -> float:
    """A judge's score, mostly high."""
    return random.betavariate(8, 2)


def tally(values: list[float]) -> Tally:
    result = Tally()
    for value in values:
        result = result.plus(value)
    return result


def significant(a: Draw, b: Draw, effect: float, requests: int, random: Random, share: float = 0.5) -> bool:
    """Whether any look after any of the requests, of which b gets this share, shows a difference."""
    seen_a = seen_b = Tally()
    for _ in range(requests):
        if random.random() < share:
            seen_b = seen_b.plus(b(random))
        else:
            seen_a = seen_a.plus(a(random))
        if seen_a.count and seen_b.count and p_value(seen_a, seen_b, effect) <= 0.05:
            return True
    return False


@pytest.mark.parametrize(("rate", "share"), [(0.5, 0.5), (0.95, 0.1)])
def test_the_same_variant_twice_seldom_differs_though_one_looks_after_every_score(rate: float, share: float) -> None:
    random = Random(1)
    alarms = sum(significant(passing(rate), passing(rate), 0.1, 200, random, share) for _ in range(200))
    assert alarms <= 10


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("draw", "effect", "share"),
    [(passing(0.5), 0.1, 0.5), (passing(0.98), 0.05, 0.1), (judged, 0.05, 0.5)],
    ids=["even", "rare failures, one request in ten", "judged"],
)
def test_of_many_a_a_tests_at_most_five_in_a_hundred_raise_an_alarm(draw: Draw, effect: float, share: float) -> None:
    random = Random(2)
    assert sum(significant(draw, draw, effect, 400, random, share) for _ in range(300)) <= 15


def test_a_true_effect_is_seen_with_the_planned_power() -> None:
    random = Random(3)
    size = size_for_looks(sqrt(0.7 * 0.3), 0.2)
    assert sum(significant(passing(0.6), passing(0.8), 0.2, 2 * size, random) for _ in range(100)) >= 80


@pytest.mark.chaos
@pytest.mark.parametrize(("rate", "effect", "power"), [(0.5, 0.1, 0.9), (0.85, 0.05, 0.8), (0.95, -0.05, 0.9)])
def test_true_effects_of_any_kind_are_seen_with_the_planned_power(rate: float, effect: float, power: float) -> None:
    random = Random(4)
    middle = rate + effect / 2
    requests = 2 * size_for_looks(sqrt(middle * (1 - middle)), abs(effect), power=power)
    tests = [significant(passing(rate), passing(rate + effect), abs(effect), requests, random) for _ in range(80)]
    # Two standard errors of 80 tests at a power of .8 are .09.
    assert sum(tests) / len(tests) >= power - 0.09


def test_to_look_again_and_again_takes_less_than_twice_the_examples() -> None:
    for sd, effect in [(0.5, 0.1), (0.3, 0.02), (0.1, 0.05)]:
        assert size_for_means(sd, effect) < size_for_looks(sd, effect) < 2 * size_for_means(sd, effect)


@pytest.mark.parametrize(
    ("a", "b", "decision"),
    [
        ((400, 200), (400, 300), "better"),
        ((400, 300), (400, 200), "worse"),
        ((4_000, 2_000), (4_000, 2_010), "equivalent"),
        ((40, 20), (40, 22), "undecided"),
        ((1, 1), (1, 0), "undecided"),
    ],
)
def test_a_look_decides_as_soon_as_it_may(a: tuple[int, int], b: tuple[int, int], decision: str) -> None:
    one, other = (Tally(count, passed, passed) for count, passed in (a, b))
    assert look(one, other, 0.1).decision == decision


@given(scores, scores)
def test_the_interval_leaves_out_0_exactly_where_the_p_value_is_below_the_level(a: list[float], b: list[float]) -> None:
    seen = look(tally(a), tally(b), 0.1)
    assert -1 <= seen.difference.low <= seen.difference.mean <= seen.difference.high <= 1
    assert (seen.p_value < 0.05) == (seen.decision in ("better", "worse"))


@given(scores, scores)
def test_a_look_from_the_other_side_says_the_opposite(a: list[float], b: list[float]) -> None:
    one, other = look(tally(a), tally(b), 0.1), look(tally(b), tally(a), 0.1)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.difference.low == pytest.approx(-other.difference.high)


@pytest.mark.parametrize("effect", [0, -0.1])
def test_an_effect_of_nothing_is_refused(effect: float) -> None:
    with pytest.raises(InputError, match="choose one above 0"):
        look(Tally(1, 1, 1), Tally(1, 1, 1), effect)


@pytest.mark.parametrize(("a", "b"), [(Tally(), Tally(1, 1, 1)), (Tally(1, 1, 1), Tally())])
def test_a_look_needs_a_score_of_each(a: Tally, b: Tally) -> None:
    with pytest.raises(InputError, match="a variant has none yet"):
        look(a, b, 0.1)
