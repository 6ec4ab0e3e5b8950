"""Whether an answer calls the right tools."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.tool_calls import ToolCalls
from continuo.jobs import Outcome
from continuo.messages import Message, ToolCall

OSLO = {"name": "weather", "arguments": {"city": "Oslo", "days": 5}}
ROME = {"name": "weather", "arguments": {"city": "Rome"}}
NOW = {"name": "now"}


def made(*calls: tuple[str, str]) -> Outcome:
    tool_calls = tuple(ToolCall(id=str(id), name=name, arguments=said) for id, (name, said) in enumerate(calls))
    return Outcome(text="", served_by="model", message=Message(role="assistant", tool_calls=tool_calls))


def score(outcome: Outcome, *right: Any, ordered: bool = False) -> Score:
    return ToolCalls(ordered=ordered).score(outcome, Example(id="1", any_of=right))


def calls(*right: dict[str, Any]) -> Outcome:
    return made(*((call["name"], json.dumps(call.get("arguments", {}))) for call in right))


def test_the_right_calls_in_any_order_are_1() -> None:
    assert score(calls(ROME, OSLO, NOW), [OSLO, NOW, ROME]) == Score(value=1)
    assert score(made(("weather", '{"days": 5.0, "city":"Oslo"}'), ("now", "")), [OSLO, NOW]).value == 1


def test_where_order_counts_only_calls_in_order_do() -> None:
    assert score(calls(ROME, OSLO), [OSLO, ROME], ordered=True) == Score(value=0.5, why="calls in another order")
    assert score(calls(OSLO, ROME), [OSLO, ROME], ordered=True).value == 1


def test_some_of_the_right_calls_are_their_f1() -> None:
    partly = score(calls(OSLO, NOW), [OSLO, ROME])
    assert partly == Score(value=0.5, why='lacks weather({"city": "Rome"}); has now({})')
    assert score(calls(OSLO, OSLO), [OSLO]).value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "arguments",
    ['{"city": "Oslo", "days": "5"}', '{"city": "Oslo"}', "{", "[" * 10_000 + "]" * 10_000, '"\\ud800"', "NaN"],
)
def test_other_arguments_are_another_call(arguments: str) -> None:
    assert score(made(("weather", arguments)), [OSLO]).value == 0
    assert score(made(("weather", '{"city": true}')), [{"name": "weather", "arguments": {"city": 1}}]).value == 0


def test_none_where_none_is_right_is_1() -> None:
    for outcome in (made(), Outcome(text="Hello", served_by="model")):
        assert score(outcome, []).value == 1
        assert score(outcome, [OSLO]).value == 0
    assert score(calls(OSLO), []) == Score(value=0, why='has weather({"city": "Oslo", "days": 5})')


def test_of_several_right_lists_the_best_counts() -> None:
    assert score(calls(ROME), [OSLO], [ROME], []).value == 1


@pytest.mark.parametrize(
    ("right", "why"),
    [("weather", "the list: "), ([{"nam": "x"}], "0.name: Field required"), ([{**NOW, "args": {}}], "0.args: Extra")],
)
def test_a_right_answer_that_is_no_list_of_calls_is_told(right: Any, why: str) -> None:
    with pytest.raises(InputError, match=f"example '1': scored by tool_calls, .* `name` and `arguments`: {why}"):
        ToolCalls().check(Example(id="1", expected=right))


SOME = st.lists(st.sampled_from([OSLO, ROME, NOW]), max_size=5)


@settings(max_examples=30)
@given(SOME, SOME)
def test_the_score_is_symmetric_and_order_costs_at_most_what_it_says(first: Any, second: Any) -> None:
    free, ordered = (score(calls(*first), second, ordered=ordered).value for ordered in (False, True))
    assert 0 <= ordered <= free <= 1
    assert score(calls(*second), first).value == free
    assert score(calls(*first), first, ordered=True).value == 1
