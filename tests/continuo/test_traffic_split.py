from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.traffic_split import kept_at, point, variant_at

weights = st.dictionaries(st.text(min_size=1), st.floats(0.001, 1000), min_size=1, max_size=5)
points = st.floats(0, 1, exclude_max=True)


@given(weights, points)
def test_every_point_belongs_to_one_of_the_names(weights: dict[str, float], point: float) -> None:
    assert variant_at(weights, point) in weights


@given(weights, points, points)
def test_shares_are_in_the_order_of_the_names(weights: dict[str, float], one: float, other: float) -> None:
    low, high = sorted([one, other])
    names = list(weights)
    assert names.index(variant_at(weights, low)) <= names.index(variant_at(weights, high))


@given(st.text())
def test_a_key_always_falls_at_the_same_point_of_the_line(key: str) -> None:
    assert point(key) == point(key)
    assert 0 <= point(key) < 1


def test_keys_are_spread_by_weight() -> None:
    found = Counter(variant_at({"nine": 9, "one": 1}, point(f"user-{number}")) for number in range(10_000))
    assert 850 < found["one"] < 1150


def test_keys_are_kept_by_weight_in_whatever_unit() -> None:
    users = [f"user-{number}" for number in range(5_000)]
    found = Counter(kept_at({"six": 6, "three": 3, "one": 1}, user) for user in users)
    assert abs(found["six"] - 3_000) < 150
    assert abs(found["one"] - 500) < 100
    assert Counter(kept_at({"six": 0.6, "three": 0.3, "one": 0.1}, user) for user in users) == found


@given(weights, weights, st.text())
def test_a_key_leaves_a_name_only_for_one_whose_weight_has_grown_by_more(
    before: dict[str, float], changed: dict[str, float], key: str
) -> None:
    after = {name: changed.get(name, weight) for name, weight in before.items()}
    old, new = kept_at(before, key), kept_at(after, key)
    assert old == new or after[new] / before[new] > after[old] / before[old]


@given(weights, st.text())
def test_what_has_no_weight_keeps_nobody(weights: dict[str, float], key: str) -> None:
    assert kept_at({"": 0.0, **{f"{name} ": weight for name, weight in weights.items()}}, key) != ""
