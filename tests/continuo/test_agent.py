"""What an agent decides, without a server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from continuo.decisions.agent import RESULT, Used, answered, asked_of, following, reached, with_own_ids
from continuo.decisions.json_schema import misfit, mistake_in, mistake_of
from continuo.messages import Message, ToolCall
from continuo.patterns import Agent, AgentTool, Fallback, Template

COUNTS = st.integers(0, 30)
USED = st.builds(
    Used, turns=COUNTS, calls=COUNTS, cost_usd=st.none() | st.floats(0, 2), seconds=st.floats(0, 20, allow_nan=False)
)
TOOL = AgentTool(step=Template(text="Yes."))


def agent(**fields: object) -> Agent:
    return Agent.model_validate({"model": "mini", **fields})


@given(used=USED, turns=st.integers(0, 3), calls=st.integers(0, 5), limits=st.tuples(*[st.integers(1, 20)] * 4))
def test_a_limit_is_reached_when_one_more_would_go_over_it_and_never_before(
    used: Used, turns: int, calls: int, limits: tuple[int, int, int, int]
) -> None:
    step = agent(turns=limits[0], calls=limits[1], cost_usd=limits[2] / 10, seconds=limits[3])
    over = (
        used.turns + turns > limits[0]
        or used.calls + calls > limits[1]
        or (used.cost_usd is not None and used.cost_usd >= limits[2] / 10)
        or used.seconds >= limits[3]
    )
    assert (reached(step, used, turns=turns, calls=calls) is not None) == over


@given(st.lists(st.text("ab", max_size=2), max_size=6))
def test_each_call_of_a_turn_has_an_id_of_its_own_and_stays_as_it_was_otherwise(ids: list[str]) -> None:
    calls = tuple(ToolCall(id=id, name="tool", arguments=str(at)) for at, id in enumerate(ids))
    answer = with_own_ids(Message(role="assistant", tool_calls=calls), 3)
    own = [call.id for call in answer.tool_calls]
    assert len(set(own)) == len(own)
    assert all(own)
    assert [call.arguments for call in answer.tool_calls] == [call.arguments for call in calls]
    if len(set(ids)) == len(ids) and all(ids):
        assert own == ids


@pytest.mark.parametrize(
    ("calls", "mistake", "repaired", "expected"),
    [(1, None, 0, "tools"), (0, None, 0, "finish"), (0, "no", 0, "repair"), (0, "no", 1, "invalid")],
)
def test_what_follows_an_answer(calls: int, mistake: str | None, repaired: int, expected: str) -> None:
    answer = Message(role="assistant", tool_calls=(ToolCall(id="1", name="tool", arguments="{}"),) * calls)
    assert following(agent(), answer, mistake, repaired) == expected


@given(st.text(max_size=20), st.integers(0, 3))
def test_a_result_is_never_empty_and_never_too_long(text: str, times: int) -> None:
    call = ToolCall(id="1", name="tool", arguments="{}")
    message = answered(call, text * times * RESULT)
    assert (message.role, message.tool_call_id) == ("tool", "1")
    assert 0 < len(message.text) < RESULT + 100


@pytest.mark.parametrize(
    ("prompt", "arguments", "expected"),
    [
        (None, {"input": "Why?"}, "Why?"),
        (None, {"city": "Bern", "days": 2}, '{"city": "Bern", "days": 2}'),
        (None, {"days": 2}, '{"days": 2}'),
        (None, {}, "{}"),
        ("In {city} for {days}?", {"city": "Bern"}, "In Bern for ?"),
        ("In {city} for {days}?", {"city": "{days}", "days": [2]}, "In {days} for [2]?"),
    ],
)
def test_a_tool_is_asked_its_one_text_or_all_or_what_its_prompt_says(
    prompt: str | None, arguments: dict[str, JsonValue], expected: str
) -> None:
    parameters = {"type": "object", "properties": {"city": {}, "days": {}}}
    tool = AgentTool.model_validate({"step": TOOL.step, "prompt": prompt, "parameters": prompt and parameters})
    assert asked_of(tool, arguments, json.dumps(arguments)) == expected


@pytest.mark.parametrize(
    ("fields", "mistake"),
    [
        ({"tools": {"model": TOOL}}, "'model' names a part of the agent itself"),
        ({"tools": {"a b": TOOL}}, "should match pattern"),
        ({"tools": {"a": {"step": TOOL.step, "parameters": {"type": "string"}}}}, "no schema of an object"),
        (
            {"tools": {"a": {"step": TOOL.step, "parameters": {"type": "object"}, "prompt": "{b}"}}},
            "unknown placeholder in the prompt of a tool: 'b'",
        ),
        (
            {"tools": {"a": {"step": Fallback(steps=(TOOL.step,)), "idempotent": False}}},
            "idempotent is about one effect",
        ),
        (
            {"tools": {"a": {"step": TOOL.step, "needs_approval": {"step": TOOL.step}}}},
            "needs_approval shows the arguments of the call",
        ),
        ({"turns": 0}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_agent_is_refused(fields: dict[str, object], mistake: str) -> None:
    with pytest.raises(ValidationError, match=mistake):
        agent(**fields)


@pytest.mark.parametrize("written", [False, None, True, {"reviewers": ["ann"], "due": "3d"}])
def test_an_approval_is_no_review_or_one_by_anybody_or_what_its_fields_say(written: object) -> None:
    tool = AgentTool.model_validate({"step": TOOL.step, "needs_approval": written})
    reviews = tool.reviews("book")
    assert AgentTool.model_validate_json(tool.model_dump_json()) == tool
    if not written:
        assert reviews == {}
        return
    review = reviews["book.approval"]
    assert review.question == "May the tool book be called with these arguments?"
    assert review.reviewers == (() if written is True else ("ann",))
    lost = tool.model_copy(update={"idempotent": False}).reviews("book")["book.lost"]
    assert (lost.reviewers, lost.due) == (review.reviewers, review.due)
    assert lost.decisions == ("approve", "reject", "respond")


def test_a_schema_that_is_none_is_told_and_no_other_place_is_asked_for_one() -> None:
    assert mistake_of({"type": "objekt"})
    assert mistake_of({"type": "object", "properties": {"a": {"minimum": 1}}}) is None
    assert "cannot be read" in (mistake_in("1", {"$ref": "http://127.0.0.1:9/schema.json"}) or "")
    assert mistake_in('{"a": {"b": 1}}', {"properties": {"a": {"properties": {"b": {"type": "string"}}}}}) == (
        'a.b: 1 is not of type "string"'
    )


def test_a_schema_that_goes_too_deep_is_told() -> None:
    deep: dict[str, JsonValue] = {}
    for _ in range(3000):
        deep = {"not": deep}
    assert "limit" in (mistake_of(deep) or "")
    assert "cannot be read" in (mistake_in("1", deep) or "")
    assert mistake_in("1", {"$ref": "#"}) is None


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(?=(a+)+$)b", "^(a|a)*$"])
def test_a_hostile_regular_expression_comes_to_an_end(pattern: str) -> None:
    """In values, and in the names of fields."""
    text = "a" * 5_000 + "!"
    assert misfit(text, {"pattern": pattern})
    assert misfit({text: 1}, {"patternProperties": {pattern: False}, "minProperties": 2})
    assert misfit({text: 1}, {"patternProperties": {pattern: {}}, "additionalProperties": False})
