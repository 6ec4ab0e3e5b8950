from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.evaluation.bandit import Evidence, Policy, shares

Rate = Callable[[int], float]
"""How often a variant is right, by the number of the request."""

ALL = 100_000
NO_FLOOR = Policy(floor=0)
names = st.sampled_from(["a", "b", "c", "d"])
evidence = st.builds(
    lambda count, rate, cost: Evidence(count, count * rate, count * cost),
    st.integers(0, 1_000), st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip


class Outcome(NamedTuple):
    """Of a request: the variant that answered it, its quality from 0 to 1, and its cost in dollars."""

    variant: str
    quality: float
    cost: float


def gathered(outcomes: Iterable[Outcome], window: int) -> dict[str, Evidence]:
    """What the last `window` of the outcomes say of each variant that is among them."""
    evidence: dict[str, Evidence] = {}
    for variant, quality, cost in deque(outcomes, maxlen=window):
        so_far = evidence.get(variant, Evidence())
        evidence[variant] = Evidence(so_far.count + 1, so_far.quality + quality, so_far.cost + cost)
    return evidence


def served(
    rates: Mapping[str, Rate], costs: Mapping[str, float], requests: int, seed: int,
    policy: Policy = NO_FLOOR, window: int = ALL, every: int = 20,
) -> tuple[list[Outcome], list[dict[str, float]]]:  # fmt: skip
    """Outcomes of requests whose weights are renewed `every` so many, and the weights at each."""
    random = Random(seed)
    weights = dict.fromkeys(rates, 1.0)
    outcomes: list[Outcome] = []
    history = []
    for number in range(requests):
        if number and number % every == 0:
            next_shares = shares(weights, gathered(outcomes, window), policy, random)
            weights = {name: share.weight for name, share in next_shares.items()}
        [name] = random.choices([*weights], [*weights.values()])
        outcomes.append(Outcome(name, float(random.random() < rates[name](number)), costs[name]))
        history.append(weights)
    return outcomes, history


def constant(rate: float) -> Rate:
    return lambda number: rate


def regret(outcomes: list[Outcome], worth: Mapping[str, float]) -> float:
    """Quality per dollar that was missed by not always taking the best."""
    return sum(max(worth.values()) - worth[outcome.variant] for outcome in outcomes)


def regrets(runs: int, requests: int, every: int) -> tuple[float, float]:
    """Of the first tenth of the requests and of all, of three variants, summed over the runs."""
    rates, costs = {"a": 0.9, "b": 0.8, "c": 0.9}, {"a": 1.0, "b": 1.0, "c": 1.5}
    worth = {name: rates[name] / costs[name] for name in rates}
    histories = [
        served({name: constant(rate) for name, rate in rates.items()}, costs, requests, seed, every=every)[0]
        for seed in range(runs)
    ]
    return (
        sum(regret(outcomes[: requests // 10], worth) for outcomes in histories),
        sum(regret(outcomes, worth) for outcomes in histories),
    )


def test_ten_times_the_requests_are_far_from_ten_times_the_regret() -> None:
    early, late = regrets(runs=2, requests=1_500, every=30)
    assert late < 2.5 * early


@pytest.mark.parametrize("seed", range(3))
def test_a_variant_that_turns_bad_is_left_within_the_window(seed: int) -> None:
    _check_left(window=400, seed=seed, bad=0.3, policy=Policy())


@pytest.mark.chaos
@pytest.mark.parametrize("bad", [0.3, 0.5])
def test_a_variant_that_turns_bad_is_left_within_a_wide_window_too(bad: float) -> None:
    _check_left(window=1_000, seed=0, bad=bad, policy=Policy(floor=0.05))


def _check_left(window: int, seed: int, bad: float, policy: Policy) -> None:
    turn = window + 100
    rates = {"a": lambda number: 0.95 if number < turn else bad, "b": constant(0.8)}
    _, history = served(rates, {"a": 1.0, "b": 1.0}, turn + window + 1, seed, policy, window)
    assert history[turn]["a"] > 0.9
    assert history[turn + window]["a"] < policy.floor + 0.05


def test_a_dear_variant_must_be_better_by_as_much() -> None:
    known = {"small": Evidence(500, 400, 0.5), "large": Evidence(500, 450, 5.0)}
    next_shares = shares({"small": 1, "large": 1}, known, Policy(floor=0.1), Random(0))
    assert {name: share.weight for name, share in next_shares.items()} == pytest.approx({"small": 0.9, "large": 0.1})
    assert next_shares["small"].why == (
        "50.0% → 90.0%: quality 0.80 (0.76 to 0.83) at $0.001 a request, 500 seen; "
        "most quality per dollar in 100.0% of draws"
    )


def test_a_variant_whose_quality_is_surely_too_low_gets_the_floor_however_cheap() -> None:
    known = {"junk": Evidence(100, 30, 0.0001), "good": Evidence(100, 90, 1.0)}
    next_shares = shares({"junk": 1, "good": 3}, known, Policy(floor=0.05, min_quality=0.7), Random(0))
    assert next_shares["junk"].weight == 0.05
    assert next_shares["junk"].why.startswith("25.0% → 5.0%: quality 0.30")
    assert next_shares["junk"].why.endswith("; below the quality of 0.7 with 100.0% certainty")


def test_where_none_is_good_enough_the_best_is_taken_whatever_it_costs() -> None:
    known = {"junk": Evidence(500, 50, 0.01), "poor": Evidence(500, 250, 50.0)}
    next_shares = shares({"junk": 1, "poor": 1}, known, Policy(floor=0, min_quality=0.9), Random(0))
    assert next_shares["poor"].weight == 1
    assert next_shares["poor"].why.endswith("certainty, as all are; the best quality in 100.0% of draws")


def test_a_few_failures_are_not_yet_sure() -> None:
    known = {"new": Evidence(2, 0.5, 0.002), "good": Evidence(100, 90, 1.0)}
    assert shares({"new": 1, "good": 1}, known, Policy(floor=0, min_quality=0.7), Random(0))["new"].weight > 0


def test_of_what_is_free_the_best_is_taken() -> None:
    known = {"free": Evidence(500, 300, 0), "better": Evidence(500, 400, 0), "paid": Evidence(500, 490, 0.001)}
    next_shares = shares({"free": 1, "better": 1, "paid": 1}, known, Policy(floor=0), Random(0))
    assert next_shares["better"].weight == 1


def test_with_nothing_known_all_are_alike_and_what_is_new_is_tried() -> None:
    first = shares({"a": 1, "b": 1}, {}, Policy(), Random(0))
    assert first["a"].weight == pytest.approx(0.5, abs=0.1)
    assert first["a"].why.startswith("50.0% → ")
    assert "nothing seen of it" in first["a"].why
    later = shares({"a": 1, "b": 1}, {"a": Evidence(100, 60, 1.0)}, Policy(floor=0), Random(0))
    assert later["b"].weight > 0.2


@settings(max_examples=20)
@given(st.dictionaries(names, st.floats(0.01, 10), min_size=1), st.dictionaries(names, evidence), st.floats(0, 1))
def test_shares_are_of_the_variants_add_up_and_keep_the_floor(
    weights: dict[str, float], known: dict[str, Evidence], min_quality: float
) -> None:
    policy = Policy(floor=0.1, min_quality=min_quality)
    next_shares = shares(weights, known, policy, Random(0))
    assert [*next_shares] == [*weights]
    assert sum(share.weight for share in next_shares.values()) == pytest.approx(1)
    assert all(share.weight >= 0.1 for share in next_shares.values())
    assert shares(weights, known, policy, Random(0)) == next_shares


def test_floors_that_are_over_1_together_are_refused() -> None:
    with pytest.raises(InputError, match=r"floor: 0.4 for each of 3 is over 1; lower it"):
        shares(dict.fromkeys("abc", 1.0), {}, Policy(floor=0.4), Random(0))
