"""Which deployment is asked first."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Strategy
from continuo.decisions.deployments import Candidate, conversation, drawn, ranked
from continuo.messages import Message, ModelRequest

names = st.text("abc", min_size=1, max_size=3)
loads = st.builds(
    Candidate,
    name=names,
    weight=st.floats(0.001, 1000),
    running=st.integers(0, 50),
    seconds=st.none() | st.floats(0, 600),
    usd=st.none() | st.floats(0, 100),
    spared=st.booleans(),
)
candidates = st.lists(loads, min_size=1, max_size=6, unique_by=lambda one: one.name)
strategies = st.sampled_from(["least_busy", "lowest_latency", "weight", "cost"])


@given(candidates, strategies, st.text())
def test_each_is_ranked_once_whatever_order_they_come_in(found: list[Candidate], strategy: Strategy, key: str) -> None:
    first = ranked(found, strategy, key)
    assert sorted(first) == sorted(found)
    assert ranked(reversed(found), strategy, key) == first


@given(candidates, strategies, st.text())
def test_one_to_be_spared_comes_after_all_others(found: list[Candidate], strategy: Strategy, key: str) -> None:
    spared = [one.spared for one in ranked(found, strategy, key)]
    assert spared == sorted(spared)


@given(candidates, st.text())
def test_the_first_has_the_fewest_calls_for_its_weight_or_the_lowest_cost_or_latency(
    found: list[Candidate], key: str
) -> None:
    here = [one._replace(spared=False, seconds=one.seconds or 0.0) for one in found]
    busy, cost, quick = (ranked(here, strategy, key)[0] for strategy in ("least_busy", "cost", "lowest_latency"))
    assert busy.running / busy.weight == min(one.running / one.weight for one in here)
    assert quick.seconds == min(one.seconds or 0.0 for one in here)
    known = [one.usd for one in here if one.usd is not None]
    assert cost.usd == (min(known) if known else None)


@given(candidates, st.text(), st.data())
def test_where_one_is_missing_the_others_keep_their_order(
    found: list[Candidate], key: str, data: st.DataObject
) -> None:
    missing = data.draw(st.sampled_from(found))
    left = [one for one in drawn(found, key) if one != missing]
    assert drawn([one for one in found if one != missing], key) == left


def test_over_all_keys_each_is_first_as_often_as_its_weight_says() -> None:
    weighted = [Candidate("one", 1), Candidate("two", 2), Candidate("five", 5)]
    first = Counter(drawn(weighted, f"call-{number}")[0].name for number in range(8_000))
    for one in weighted:
        assert math.isclose(first[one.name], one.weight * 1_000, rel_tol=0.15)


def test_one_whose_latency_is_not_known_is_tried_by_one_call() -> None:
    quick, new = Candidate("quick", seconds=0.1), Candidate("new")
    assert ranked([quick, new], "lowest_latency", "")[0] == new
    assert ranked([quick, new._replace(running=1)], "lowest_latency", "")[0] == quick


def asking(*texts: str, **fields: str) -> ModelRequest:
    return ModelRequest(messages=tuple(Message(role="user", content=text) for text in texts), **fields)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (asking("a"), asking("a", "b"), True),
        (asking("a"), asking("b"), False),
        (asking("a", prompt_cache_key="k"), asking("b", prompt_cache_key="k"), True),
        (asking("a", prompt_cache_key="k"), asking("a", prompt_cache_key="l"), False),
    ],
)
def test_a_conversation_is_told_by_what_its_caller_says_or_how_it_begins(
    one: ModelRequest, other: ModelRequest, same: bool
) -> None:
    assert (conversation(one, None) == conversation(other, None)) is same
    assert conversation(one, "session") == conversation(other, "session") or one.prompt_cache_key
