"""From what the SDK sends to what is submitted."""

import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings

from continuo.messages import Message, ModelRequest, ToolCall
from continuo.parts import File, Image, Reasoning, Text
from continuo.providers.anthropic import Anthropic
from continuo.wire import anthropic as dialect
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from tests.support.media import PDF, png
from tests.wire.bodies import bodies

PNG = {"type": "base64", "media_type": "image/png", "data": b64encode(png()).decode()}
CACHED = {"type": "ephemeral", "ttl": "1h"}
WHOLE: dict[str, object] = {
    "model": "claude-9",
    "max_tokens": 1_000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "c2VjcmV0"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "it"}},
                {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "image", "source": PNG}]},
                {"type": "tool_result", "tool_use_id": "t2", "content": "no such thing", "is_error": True},
                {
                    "type": "document",
                    "title": "a.pdf",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": b64encode(PDF).decode()},
                },
                {"type": "text", "text": "One.", "cache_control": CACHED},
                {"type": "text", "text": "Two."},
            ],
        },
        {"role": "system", "content": "In French."},
    ],
    "tools": [{"name": "look", "input_schema": {"type": "object"}, "strict": True, "eager_input_streaming": True}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 500},
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u1"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "service_tier": "auto",
    "stream": True,
}


def accepted(body: object, **options: object) -> Accepted:
    read = parsed(dialect.Body, json.dumps(body).encode())
    return dialect.request(read, resolve=lambda name: f"model:{name}", **options)  # type: ignore[arg-type]


def test_every_block_is_a_part_of_the_turn_that_it_belongs_to() -> None:
    made = accepted(WHOLE)
    hello, answer, first, second, last = made.request.messages
    assert hello == Message(role="user", content="Hello")
    assert answer.parts == (
        Reasoning(protocol="anthropic", text="Hm.", signature="c2ln"),
        Reasoning(protocol="anthropic", signature="c2VjcmV0", redacted=True),
        Text(text="Let me see."),
    )
    assert answer.tool_calls == (
        ToolCall(id="t1", name="look", arguments='{"at": "it"}'),
        ToolCall(id="t2", name="look", arguments="{}"),
    )
    assert (first.tool_call_id, first.text) == ("t1", "")
    assert (second.tool_call_id, second.text) == ("t2", "Error:\n\nno such thing")
    image, document, one, two = last.parts
    assert isinstance(image, Image)
    assert isinstance(document, File)
    assert (document.name, one, two) == ("a.pdf", Text(text="One."), Text(text="Two."))
    assert made.media == {image: png(), document: PDF}
    assert made.request.system == "Be brief.\n\nIn French."


def test_every_parameter_is_honoured_or_passed_through() -> None:
    parameters = accepted(WHOLE).request.parameters
    assert parameters.model_dump(exclude_defaults=True) == {
        "tools": ({"name": "look", "parameters": {"type": "object"}, "strict": True},),
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "response_schema": {"type": "object"},
        "max_tokens": 1_000,
        "stop": ("END",),
        "reasoning_effort": "low",
        "user": "u1",
        "cache_control": "1h",
        "extra": {"anthropic": {"thinking": {"type": "enabled", "budget_tokens": 500}, "service_tier": "auto"}},
    }


def test_betas_go_on_as_their_header() -> None:
    body = {**WHOLE, "context_management": {"edits": []}}
    made = accepted(body, betas=["context-management-2025-06-27", "x"]).request
    asked = ModelRequest(messages=made.messages[:1], **dict(made.parameters))
    wire = Anthropic().encode("https://a.example", "claude", asked, stream=False)
    assert wire.headers == {"anthropic-beta": "context-management-2025-06-27,x"}
    assert wire.body["context_management"] == {"edits": []}
    assert "betas" not in wire.body
    with pytest.raises(WireError, match="list of names"):
        accepted(body, betas=["x\r\ny: z"])


def test_media_behind_a_url_are_taken_once_they_are_fetched() -> None:
    url = "https://pictures.example/a.png"
    source = {"type": "image", "source": {"type": "url", "url": url}}
    body = {**WHOLE, "messages": [{"role": "user", "content": [source]}]}
    assert list(dialect.urls(parsed(dialect.Body, json.dumps(body).encode()))) == [url]
    assert list(accepted(body, fetched={url: png()}).media.values()) == [png()]
    with pytest.raises(WireError, match="send the content as base64") as refused:
        accepted(body)
    assert refused.value.param == "messages.0.content.0.source.url"


@pytest.mark.parametrize(
    ("content", "role", "message"),
    [
        ([{"type": "thinking", "thinking": "", "signature": ""}], "user", "holds no block of type 'thinking'"),
        ([{"type": "image", "source": PNG}], "assistant", "holds no block of type 'image'"),
        ([{"type": "image", "source": {**PNG, "data": "%"}}], "user", "no base64"),
        ([{"type": "document", "source": PNG}], "user", "image/png, no document"),
        ([{"type": "text", "text": "", "citations": [{}]}], "user", "at most 0 items"),
    ],
)
def test_a_block_that_fits_nowhere_is_refused(content: object, role: str, message: str) -> None:
    with pytest.raises(WireError, match=message) as refused:
        accepted({**WHOLE, "messages": [{"role": role, "content": content}]})
    assert str(refused.value.param).startswith("messages.0.content")


@settings(deadline=None)
@given(bodies(WHOLE))
def test_no_body_raises_anything_but_a_wire_error(body: bytes) -> None:
    with suppress(WireError):
        dialect.request(parsed(dialect.Body, body), resolve=str, version="2023-06-01")
    with suppress(WireError):
        dialect.input_tokens(parsed(dialect.CountBody, body))
