"""Completions of the form before chats, as pure mappings."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.messages import Token
from continuo.wire import completions as dialect
from continuo.wire.account import account
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Broken, pieces
from tests.wire.bodies import bodies
from tests.wire.outcomes import PARIS, outcomes, split

WHOLE: dict[str, Any] = {
    "model": "gpt", "prompt": ["Where?"], "best_of": 1, "echo": False, "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100}, "logprobs": 2, "max_tokens": 5, "n": 1, "presence_penalty": -1, "seed": 7,
    "stop": ["END"], "stream": False, "stream_options": None, "suffix": "", "temperature": 0.5, "top_p": 0.5,
    "user": "ada",
}  # fmt: skip


def body(**fields: object) -> dialect.Body:
    return parsed(dialect.Body, json.dumps({"model": "gpt", "prompt": "Where?", **fields}).encode())


def resolve(name: str) -> str:
    return f"model:{name}"


def chunks(whole: dialect.Body, told: list[Any]) -> list[dict[str, Any]]:
    events = dialect.Events(whole, id="cmpl-1", created=1)
    written = events.start() + b"".join(chunk for piece in told for chunk in events.feed(piece))
    lines = [line.removeprefix("data: ") for line in written.decode().split("\n\n") if line]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_every_field_is_passed_on() -> None:
    request = dialect.request(parsed(dialect.Body, json.dumps(WHOLE).encode()), resolve=resolve).request
    assert (request.pattern, [turn.text for turn in request.messages]) == ("model:gpt", ["Where?"])
    parameters = request.parameters.model_dump(exclude_defaults=True)
    assert parameters == {
        "frequency_penalty": 0.5, "presence_penalty": -1, "logprobs": True, "top_logprobs": 2, "max_tokens": 5,
        "seed": 7, "stop": ("END",), "temperature": 0.5, "top_p": 0.5, "user": "ada",
        "extra": {"openai": {"logit_bias": {"50256": -100}}},
    }  # fmt: skip


def test_without_a_limit_it_is_that_of_the_api() -> None:
    assert dialect.request(body(), resolve=resolve).request.parameters.model_dump(exclude_defaults=True) == {
        "max_tokens": 16
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"prompt": ["a"] * 9, "n": 16}, "prompt"),
        ({"prompt": ["a", [1]]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1], [2]]}, "prompt"),
        ({"suffix": "x"}, "suffix"),
        ({"n": 17}, "n"),
        ({"best_of": 2}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": 1, "echo": True}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(WireError) as refused:
        dialect.request(body(**fields), resolve=resolve)
    assert (refused.value.status, refused.value.param) == (400, param)


def test_each_prompt_is_a_request_with_all_that_is_asked_of_it() -> None:
    accepted = dialect.request(body(prompt=["a", "b", "c"], n=2, stop="END"), resolve=resolve)
    assert [[turn.text for turn in one.messages] for one in accepted.requests] == [["a"], ["b"], ["c"]]
    assert [one.parameters.stop for one in accepted.requests] == [("END",)] * 3
    assert (accepted.choices, accepted.runs) == (2, 6)


@given(bodies(WHOLE))
def test_any_body_is_taken_or_refused(content: bytes) -> None:
    with suppress(WireError):
        dialect.request(parsed(dialect.Body, content), resolve=resolve)


@given(outcomes, st.booleans(), st.booleans(), st.integers(0, 9))
def test_a_stream_says_what_the_whole_says(answer: Any, echo: bool, include_usage: bool, at: int) -> None:
    whole = body(echo=echo, stream=True, stream_options={"include_usage": include_usage})
    told = account(answer, "model:gpt")
    made = dialect.response(answer, told, whole, id="cmpl-1", created=1)
    found = chunks(whole, [part for piece in pieces(answer, told) for part in split(piece, at)])
    choices = [chunk["choices"][0] for chunk in found if chunk["choices"]]
    assert "".join(choice["text"] for choice in choices) == made["choices"][0]["text"]
    assert choices[-1]["finish_reason"] == made["choices"][0]["finish_reason"]
    assert found[-1]["continuo"] == made["continuo"]
    assert found[-1].get("usage") == (made["usage"] if include_usage else None)
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in found} == {("cmpl-1", "text_completion", "gpt")}


def test_a_stream_that_breaks_ends_with_an_error() -> None:
    assert chunks(body(), [Broken("gone")])[-1]["error"]["message"] == "gone"


def test_tokens_are_told_with_where_they_begin() -> None:
    tokens = (Token(text="Pa", logprob=-0.5, top=(("Pa", -0.5), ("Lo", -1.0))), Token(text="ris.", logprob=-0.25))
    answer = PARIS.model_copy(update={"logprobs": tokens})
    made = dialect.response(answer, {}, body(logprobs=2), id="cmpl-1", created=1)
    assert made["choices"][0]["logprobs"] == {
        "tokens": ["Pa", "ris."],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{"Pa": -0.5, "Lo": -1.0}, {}],
        "text_offset": [0, 2],
    }
