"""Which of a provider's keys is tried next."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import ProviderError
from continuo.protection.provider_keys import ASIDE, KeysInTurn, keys_in


def error(status: int | None, *, retry_after: float | None = None, retryable: bool = False) -> ProviderError:
    return ProviderError("unauthorized", "no", status=status, retry_after=retry_after, retryable=retryable)


KEYS = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)


@given(st.lists(st.text("abc ,\r\n", max_size=5)))
def test_keys_stand_behind_each_other_or_on_lines_each_once(parts: list[str]) -> None:
    keys = keys_in("\n".join(parts))
    assert len(keys) == len({*keys})
    assert all(key and key == key.strip() and "," not in key and "\n" not in key for key in keys)
    assert keys_in(",".join(keys)) == keys_in(" \n".join(keys)) == keys


@given(KEYS, st.integers(1, 40))
def test_keys_take_their_turn_evenly_and_each_is_tried_once_in_a_call(keys: list[str], calls: int) -> None:
    turns = KeysInTurn()
    orders = [turns.order("p", "m", keys, 0.0) for _ in range(calls)]
    assert all(sorted(order) == sorted(keys) for order in orders)
    first = Counter(order[0] for order in orders)
    assert max(first.values()) - min(first[key] for key in keys) <= 1


@given(KEYS, st.data())
def test_what_is_set_aside_is_left_out_while_another_one_is_free(keys: list[str], data: st.DataObject) -> None:
    turns = KeysInTurn()
    bad = data.draw(st.lists(st.sampled_from(keys), unique=True))
    for time, key in enumerate(bad):
        assert turns.refused("p", "m", key, error(401), float(time))
    now = float(len(bad))
    order = turns.order("p", "m", keys, now)
    assert sorted(order) == (sorted({*keys} - {*bad}) if len(bad) < len(keys) else [bad[0]])
    assert sorted(turns.order("q", "m", keys, now)) == sorted(keys)
    assert sorted(turns.order("p", "m", keys, now + ASIDE)) == sorted(keys)


@pytest.mark.parametrize(
    ("refusal", "model", "other", "seconds"),
    [
        (error(401), ["b"], ["b"], ASIDE),
        # It may be about this model alone.
        (error(403), ["b"], ["a", "b"], ASIDE),
        (error(429, retryable=True, retry_after=7), ["b"], ["a", "b"], 7),
        (error(429, retryable=True, retry_after=1e9), ["b"], ["a", "b"], ASIDE),
        (error(429, retryable=True), ["a", "b"], ["a", "b"], 0),
        (error(429), ["b"], ["b"], ASIDE),
    ],
)
def test_a_refusal_says_for_what_and_for_how_long(
    refusal: ProviderError, model: list[str], other: list[str], seconds: float
) -> None:
    turns = KeysInTurn()
    assert turns.refused("p", "m", "a", refusal, 0.0)
    assert sorted(turns.order("p", "m", ["a", "b"], max(0.0, seconds - 0.1))) == model
    assert sorted(turns.order("p", "other", ["a", "b"], max(0.0, seconds - 0.1))) == other
    assert sorted(turns.order("p", "m", ["a", "b"], seconds)) == ["a", "b"]


@pytest.mark.parametrize("status", [None, 400, 404, 408, 500, 503])
def test_other_errors_are_not_about_the_key(status: int | None) -> None:
    turns = KeysInTurn()
    assert not turns.refused("p", "m", "a", error(status), 0.0)
    assert sorted(turns.order("p", "m", ["a", "b"], 0.0)) == ["a", "b"]
