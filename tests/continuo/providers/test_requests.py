"""What goes out: one request in the shape of each protocol."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.messages import Message, ModelRequest, ToolCall
from continuo.parameters import Tool
from continuo.providers.protocol import Json, wire_protocol
from tests.continuo.providers.conftest import PROTOCOLS

URL = "https://models.example/v1"
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "integer"}}}
# Two calls in one turn, then one more: their results must find their way back to each.
CONVERSATION = (
    Message(role="user", content="Weather and time in Paris?"),
    Message(
        role="assistant",
        content="Let me look.",
        tool_calls=(
            ToolCall(id="a", name="weather", arguments='{"city": "Paris"}'),
            ToolCall(id="b", name="clock", arguments=""),
        ),
    ),
    Message(role="tool", tool_call_id="a", content="rain"),
    Message(role="tool", tool_call_id="b", content="noon"),
    Message(role="assistant", tool_calls=(ToolCall(id="c", name="map", arguments="not JSON"),)),
    Message(role="tool", tool_call_id="c", content="wrong arguments"),
    Message(role="user", content="And tomorrow?"),
)
FULL = ModelRequest(
    messages=CONVERSATION,
    system="Be brief.",
    tools=(Tool(name="weather", description="The weather of a city.", parameters=PARAMETERS),),
    response_schema=SCHEMA,
    max_tokens=100,
    temperature=1.5,
    stop=("END",),
)


def encoded(protocol: str, request: ModelRequest, *, url: str = URL, stream: bool = False) -> Json:
    return wire_protocol(protocol).encode(url, "some-model", request, stream=stream).body


def test_openai_gets_its_own_shape() -> None:
    body = encoded("openai", FULL, stream=True)
    assert body.pop("messages") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather and time in Paris?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}},
                {"id": "b", "type": "function", "function": {"name": "clock", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "rain"},
        {"role": "tool", "tool_call_id": "b", "content": "noon"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "map", "arguments": "not JSON"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "wrong arguments"},
        {"role": "user", "content": "And tomorrow?"},
    ]
    function = {"name": "weather", "description": "The weather of a city.", "parameters": PARAMETERS}
    assert body == {
        "model": "some-model",
        "tools": [{"type": "function", "function": function}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
        "max_tokens": 100,
        "temperature": 1.5,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://our-team.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
        ("https://notopenai.com/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_obeys(url: str, name: str) -> None:
    body = encoded("openai", FULL, url=url)
    assert {key: value for key, value in body.items() if key.startswith("max_")} == {name: 100}


def test_anthropic_gets_its_own_shape() -> None:
    body = encoded("anthropic", FULL, stream=True)
    assert body.pop("messages") == [
        {"role": "user", "content": [{"type": "text", "text": "Weather and time in Paris?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Paris"}},
                {"type": "tool_use", "id": "b", "name": "clock", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "b", "content": "noon"},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c", "name": "map", "input": {"invalid": "not JSON"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c", "content": "wrong arguments"},
                {"type": "text", "text": "And tomorrow?"},
            ],
        },
    ]
    assert body == {
        "model": "some-model",
        "max_tokens": 100,
        "system": "Be brief.",
        "tools": [{"name": "weather", "description": "The weather of a city.", "input_schema": PARAMETERS}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "temperature": 1.0,
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_anthropic_gets_the_limit_that_it_demands() -> None:
    assert encoded("anthropic", ModelRequest(messages=CONVERSATION))["max_tokens"] == 4096


def test_google_gets_its_own_shape() -> None:
    body = encoded("google", FULL)
    signature = {"thoughtSignature": "skip_thought_signature_validator"}
    assert body.pop("contents") == [
        {"role": "user", "parts": [{"text": "Weather and time in Paris?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Let me look."},
                {"functionCall": {"id": "a", "name": "weather", "args": {"city": "Paris"}}, **signature},
                {"functionCall": {"id": "b", "name": "clock", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "weather", "response": {"result": "rain"}}},
                {"functionResponse": {"id": "b", "name": "clock", "response": {"result": "noon"}}},
            ],
        },
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "c", "name": "map", "args": {"invalid": "not JSON"}}, **signature}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c", "name": "map", "response": {"result": "wrong arguments"}}},
                {"text": "And tomorrow?"},
            ],
        },
    ]
    declaration = {
        "name": "weather",
        "description": "The weather of a city.",
        "parametersJsonSchema": PARAMETERS,
    }
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [declaration]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
            "maxOutputTokens": 100,
            "temperature": 1.5,
            "stopSequences": ["END"],
        },
    }


@pytest.mark.parametrize(("stream", "method"), [(False, ":generateContent"), (True, ":streamGenerateContent?alt=sse")])
def test_google_has_the_model_in_its_path(stream: bool, method: str) -> None:
    wire = wire_protocol("google").encode(URL, "tuned/a b", ModelRequest(messages=CONVERSATION), stream=stream)
    assert wire.url == f"{URL}/models/tuned%2Fa%20b{method}"


calls = st.builds(
    ToolCall,
    id=st.text(),
    name=st.text(),
    arguments=st.text() | st.sampled_from(['{"a": [1]}', "Infinity", '{"a": NaN}']),
)
messages = st.builds(
    Message,
    role=st.sampled_from(["user", "assistant", "tool"]),
    content=st.text(),
    tool_calls=st.lists(calls, max_size=2).map(tuple),
    tool_call_id=st.none() | st.text(),
)
requests = st.builds(
    ModelRequest,
    messages=st.lists(messages, min_size=1, max_size=5).map(tuple),
    system=st.none() | st.text(),
    tools=st.lists(st.builds(Tool, name=st.text(), description=st.text()), max_size=2).map(tuple),
    response_schema=st.none() | st.just(SCHEMA),
    max_tokens=st.none() | st.integers(1, 10_000_000),
    temperature=st.none() | st.floats(min_value=0, max_value=2),
    stop=st.lists(st.text(), max_size=2).map(tuple),
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(request_=requests, stream=st.booleans())
def test_every_request_is_json_that_loses_nothing(protocol: str, request_: ModelRequest, stream: bool) -> None:
    body = encoded(protocol, request_, stream=stream)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    said = json.dumps(body, ensure_ascii=False)
    for text in (request_.system, *(message.content for message in request_.messages)):
        assert json.dumps(text or "", ensure_ascii=False)[1:-1] in said
