"""What callers send beside the messages: checked whole before anything is sent, and written only when it is set."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.decisions.cache_key import entry_key, family, scope
from continuo.decisions.settled import settled
from continuo.jobs import Context, Job
from continuo.messages import Message, ModelRequest
from continuo.parameters import UNSEEN, Demand, Hint, NamedTool, Parameters, Tool, Tuning
from continuo.patterns import Cached, Call
from continuo.protection.reservation import capped, likely_tokens, most_usage

HELLO = Message(role="user", content="Hello")
TOOLS = (Tool(name="weather"), Tool(name="clock"))
SET: dict[str, Any] = {
    "tool_choice": NamedTool(name="clock"),
    "parallel_tool_calls": False,
    "strict": False,
    "response_format": "json_object",
    "top_p": 0.0,
    "seed": 0,
    "n": 1,
    "frequency_penalty": 0.0,
    "presence_penalty": -2.0,
    "logprobs": True,
    "top_logprobs": 0,
    "reasoning_effort": "none",
    "verbosity": "low",
    "metadata": {"team": "blue"},
    "user": "ada",
    "cache_control": "5m",
    "prompt_cache_key": "support",
    "extra": {"openai": {"store": True}},
    "embed": True,
    "dimensions": 64,
    "tokens": True,
    "segments": True,
}
"""A value of each parameter that requests did not always have."""

WITH: dict[str, dict[str, Any]] = {
    "tool_choice": {"tools": TOOLS},
    "strict": {"response_schema": {"type": "object"}},
    "top_logprobs": {"logprobs": True},
    "dimensions": {"embed": True},
    "tokens": {"embed": True},
}
"""What a parameter needs beside it."""

EARLIER = {"tools", "response_schema", "max_tokens", "temperature", "stop", "messages", "system", "rated"}
"""The fields that are written whether they are set or not, since they always were. None is ever added to them."""


def request(**fields: Any) -> ModelRequest:
    return ModelRequest.model_validate({"messages": (HELLO,), **fields})


def keys(asked: ModelRequest, step: Call | None = None) -> tuple[str, str, str]:
    cached = Cached(step or Call(model="m"))
    job = Job(step=cached, context=Context(pattern="p"), request=asked)
    return entry_key(cached, job), family(cached, job), scope(cached, job)


def test_every_parameter_has_a_place_in_these_tests_and_a_rule() -> None:
    assert {*ModelRequest.model_fields} == {*SET, "earlier"} | EARLIER
    ruled = {name for kind in (Demand, Tuning, Hint) for name in get_args(kind)}
    # These only say more about another one, or are for all models alike.
    assert {*Parameters.model_fields} - ruled == {"strict", "top_logprobs", "max_tokens", "n", "extra"}
    assert {*get_args(Hint)} >= UNSEEN


def test_a_request_and_a_call_are_written_as_ever_until_a_later_field_is_set() -> None:
    assert request().model_dump(mode="json").keys() == EARLIER
    every = {"kind", "isolate", "model", "system", "max_tokens", "temperature", "timeout", "retry", "local"}
    assert Call(model="m").model_dump(mode="json").keys() == every
    later = {"top_p": 0.5, "stop": ["END"], "seed": 7, "reasoning_effort": "low"}
    assert Call.model_validate({"model": "m", **later}).model_dump(mode="json").keys() == every | later.keys()


@given(st.sets(st.sampled_from(sorted(SET))))
def test_what_is_written_is_read_again(names: set[str]) -> None:
    fields = {name: SET[name] for name in names - {"response_format"}}
    for name in fields.keys() & WITH.keys():
        fields = {**WITH[name], **fields}
    whole = request(**fields)
    assert ModelRequest.model_validate_json(whole.model_dump_json()) == whole


@given(st.sets(st.sampled_from(sorted(SET))))
def test_a_field_that_is_not_set_changes_no_key(names: set[str]) -> None:
    assert keys(request(**{name: Parameters.model_fields[name].default for name in names})) == keys(request())


@pytest.mark.parametrize("name", sorted(SET))
def test_a_field_that_is_set_changes_the_key_if_an_answer_depends_on_it(name: str) -> None:
    beside = WITH.get(name, {})
    one, other = keys(request(**beside, **{name: SET[name]})), keys(request(**beside))
    # Two users of a tenant who ask the same share an answer.
    assert (one == other) == (name in UNSEEN)
    if name not in UNSEEN:
        assert one[0] != other[0]
        assert one[1] != other[1]


@pytest.mark.parametrize("fields", [{"top_p": 0.0}, {"stop": ("END",)}, {"seed": 0}, {"reasoning_effort": "none"}])
def test_a_step_s_own_parameter_divides_what_is_cached(fields: dict[str, Any]) -> None:
    step = Call.model_validate({"model": "m", **fields})
    assert all(one != other for one, other in zip(keys(request(), step), keys(request()), strict=True))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"n": 2}, "n is 2, and an outcome carries one answer; leave it out and ask again instead"),
        ({"n": 0}, "greater than or equal to 1"),
        ({"tool_choice": "required"}, "tool_choice demands a call, and there are no tools; give some"),
        ({"tool_choice": {"name": "map"}, "tools": TOOLS}, "tool_choice names 'map', which is none of the tools"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"response_format": "json_object", "response_schema": {}}, "response_format and response_schema exclude"),
        ({"strict": True}, "strict is about a response_schema, and there is none"),
        ({"top_logprobs": 2}, "top_logprobs needs logprobs"),
        ({"dimensions": 64}, "dimensions are those of an embedding"),
        ({"logprobs": True, "top_logprobs": 21}, "less than or equal to 20"),
        ({"seed": 2**31}, "less than or equal to 2147483647"),
        ({"top_p": 1.1}, "less than or equal to 1"),
        ({"frequency_penalty": -2.1}, "greater than or equal to -2"),
        ({"reasoning_effort": "some"}, "reasoning_effort"),
        ({"metadata": dict.fromkeys(map(str, range(17)), "x")}, "at most 16 items"),
        ({"metadata": {"a": "x" * 513}}, "at most 512 characters"),
        ({"user": ""}, "at least 1 character"),
        ({"cache_control": "2h"}, "'5m' or '1h'"),
    ],
)
def test_what_no_provider_could_do_is_told_at_once(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Parameters.model_validate(fields)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"openai": {"model": "dear"}}, "openai.model is what Continuo sends itself; leave it out"),
        ({"openai": {"maxCompletionTokens": 9}}, "openai.maxCompletionTokens is"),
        ({"openai": {"N": 5}}, "openai.N is"),
        ({"openai": {"api_key": "sk"}}, "openai.api_key is"),
        ({"anthropic": {"system": "x"}}, "anthropic.system is"),
        ({"anthropic": {"output_config": {}}}, "anthropic.output_config is"),
        ({"google": {"contents": []}}, "google.contents is"),
        ({"google": {"generation_config": {}}}, "google.generation_config is"),
        ({"google": {"generationConfig": 1}}, "google.generationConfig is no object"),
        ({"google": {"generationConfig": {"candidate_count": 8}}}, r"google.generationConfig.candidate_count is"),
        ({"openai": {"a": float("nan")}}, "a"),
        ({"openai": {"a": object()}}, "valid JSON"),
        ({"openai": {"a": "x" * 16_000}}, "bytes as JSON, more than 16,000; shorten it"),
        ({"openai": {"a": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}, "more than 20 lists and objects"),
        ({"ollama": {}}, "Extra inputs are not permitted"),
    ],
)
def test_what_is_passed_through_is_json_bounded_and_overwrites_nothing(extra: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Parameters.model_validate({"extra": extra})


def test_the_request_wins_over_the_step_which_fills_in_what_is_left_open() -> None:
    step = Call(model="m", top_p=0.5, stop=("STEP",), seed=1, reasoning_effort="low", temperature=1, max_tokens=10)
    asked = settled(step, request(seed=0, stop=("MINE",)))
    assert (asked.seed, asked.stop) == (0, ("MINE",))
    assert (asked.top_p, asked.reasoning_effort, asked.temperature, asked.max_tokens) == (0.5, "low", 1, 10)
    assert settled(step, request(top_p=0.0, temperature=0.0)).model_dump(include={"top_p", "temperature"}) == {
        "top_p": 0.0,
        "temperature": 0.0,
    }


def test_choices_that_every_model_makes_by_itself_demand_nothing() -> None:
    idle = {"tool_choice": "none", "parallel_tool_calls": True, "logprobs": False, "temperature": 0.5, "user": "ada"}
    assert request(**idle).demands == frozenset()
    full = request(**{**SET, "tools": TOOLS, "stop": ["END"], "strict": None})
    assert full.demands == {*get_args(Demand)} - {"response_schema"}
    assert full.as_text().demands == {"seed"}
    ModelRequest.model_validate(full.as_text().model_dump())


def test_what_is_refused_is_left_out_but_a_demand_which_is_never_dropped() -> None:
    left = request(seed=1, temperature=0.0, verbosity="low", user="ada").without({"seed", "temperature", "verbosity"})
    assert left == request(seed=1, user="ada")


def test_a_call_without_a_limit_is_reserved_with_the_thoughts_that_its_effort_may_take() -> None:
    limits = [capped(request(reasoning_effort=effort)).max_tokens or 0 for effort in ("low", "medium", "high", "max")]
    assert limits == [4_096, 12_288, 32_768, 65_536]
    assert capped(request()).max_tokens == 4_096
    assert capped(request(reasoning_effort="max", max_tokens=5)).max_tokens == 5
    high = capped(request(reasoning_effort="high"))
    assert most_usage(high).output_tokens == 32_768
    assert likely_tokens(high) > 32_768
