"""From what the SDK sends to what is submitted."""

import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.messages import Message, ToolCall
from continuo.parts import Audio, File, Image, Reasoning, Text
from continuo.wire import responses as dialect
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from tests.support.media import PDF, png, wav
from tests.wire.bodies import bodies

PNG = f"data:image/png;base64,{b64encode(png()).decode()}"
WHOLE: dict[str, object] = {
    "model": "gpt-9",
    "instructions": "Be brief.",
    "input": [
        {"role": "developer", "content": "In French."},
        {"role": "user", "content": "Hello"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "c2ln",
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "t1", "name": "look", "arguments": '{"at": 1}'},
        {"type": "function_call", "call_id": "t2", "name": "look", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "t1",
            "output": [{"type": "input_image", "image_url": PNG, "detail": "auto"}],
        },
        {"type": "function_call_output", "call_id": "t2", "output": "Nothing."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "One."},
                {"type": "input_text", "text": "Two."},
                {"type": "input_file", "filename": "a.pdf", "file_data": b64encode(PDF).decode()},
                {"type": "input_audio", "input_audio": {"data": b64encode(wav()).decode(), "format": "wav"}},
            ],
        },
    ],
    "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "function", "name": "look"},
    "parallel_tool_calls": False,
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {
        "verbosity": "low",
        "format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True},
    },
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 100,
    "temperature": 1,
    "metadata": {"a": "b"},
    "user": "u1",
    "service_tier": "flex",
    "prompt_cache_key": "k",
    "store": False,
    "stream": True,
}


def accepted(body: object) -> Accepted:
    return dialect.request(parsed(dialect.Body, json.dumps(body).encode()), resolve=lambda name: f"model:{name}")


def test_items_are_the_turns_that_they_were_made_of() -> None:
    made = accepted(WHOLE)
    hello, answer, first, second, media, last = made.request.messages
    assert hello == Message(role="user", content="Hello")
    assert answer.parts == (Reasoning(protocol="openai", text="Hm.", signature="c2ln"), Text(text="Let me see."))
    assert answer.tool_calls == (
        ToolCall(id="t1", name="look", arguments='{"at": 1}'),
        ToolCall(id="t2", name="look", arguments="{}"),
    )
    assert [(turn.tool_call_id, turn.text) for turn in (first, second)] == [("t1", ""), ("t2", "Nothing.")]
    assert [type(part) for part in media.parts] == [Image]
    assert [type(part) for part in last.parts] == [Text, Text, File, Audio]
    assert set(made.media.values()) == {png(), PDF, wav()}
    assert made.request.system == "Be brief.\n\nIn French."


def test_every_parameter_is_honoured_or_passed_through() -> None:
    assert accepted(WHOLE).request.parameters.model_dump(exclude_defaults=True) == {
        "tools": ({"name": "look", "parameters": {"type": "object"}, "strict": True},),
        "tool_choice": {"name": "look"},
        "parallel_tool_calls": False,
        "response_schema": {"type": "object"},
        "strict": True,
        "max_tokens": 100,
        "temperature": 1.0,
        "reasoning_effort": "low",
        "verbosity": "low",
        "metadata": {"a": "b"},
        "user": "u1",
        "prompt_cache_key": "k",
        "extra": {"openai": {"service_tier": "flex"}},
    }


def test_media_behind_a_url_are_taken_once_they_are_fetched() -> None:
    addresses = ["https://a.example/a.png", "https://a.example/a.pdf"]
    image = {"type": "input_image", "image_url": addresses[0]}
    content = [image, {"type": "input_file", "file_url": addresses[1]}, {"type": "input_image", "image_url": PNG}]
    body = parsed(dialect.Body, json.dumps({**WHOLE, "input": [{"role": "user", "content": content}]}).encode())
    assert list(dialect.urls(body)) == addresses
    made = dialect.request(body, resolve=str, fetched=dict(zip(addresses, (png(), PDF), strict=True)))
    assert set(made.media.values()) == {png(), PDF}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"role": "system", "content": [{"type": "input_image", "image_url": PNG}]}, "holds text alone"),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example/b"}]},
            "send the content",
        ),
        ({"role": "user", "content": [{"type": "input_image", "image_url": "data:,x"}]}, "no base64"),
        ({"role": "user", "content": [{"type": "input_file", "file_data": PNG}]}, "image/png, no file"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "either file_data or file_url"),
        ({"role": "user", "content": [{"type": "input_image", "image_url": PNG, "detail": "high"}]}, "known: 'auto'"),
    ],
)
def test_an_item_that_fits_nowhere_is_refused(item: object, message: str) -> None:
    with pytest.raises(WireError, match=message) as refused:
        accepted({**WHOLE, "input": [item]})
    assert str(refused.value.param).startswith("input.0.content")


@given(st.lists(st.sampled_from(["msg_1", "msg_2", None]), min_size=1, max_size=5))
def test_each_item_is_listed_once_whatever_id_it_came_with(ids: list[str | None]) -> None:
    input = [{"role": "user", "content": f"{number}", "id": id} for number, id in enumerate(ids)]
    items = dialect.input_items(parsed(dialect.Body, json.dumps({**WHOLE, "input": input}).encode()).input, "resp_1")
    listed: list[str] = []
    after = None
    for _ in ids:
        page = dialect.page(items, limit=1, order="asc", after=after)
        listed += [item["content"][0]["text"] for item in page["data"]]
        after = page["last_id"]
    assert (listed, page["has_more"]) == ([f"{number}" for number in range(len(ids))], False)


@settings(deadline=None)
@given(bodies(WHOLE))
def test_no_body_raises_anything_but_a_wire_error(body: bytes) -> None:
    with suppress(WireError):
        read = parsed(dialect.Body, body)
        dialect.pending(read, id="resp_1", created_at=0)
        dialect.continued(read, dialect.input_items(read.input, "resp_1"))
        dialect.request(read, resolve=str)
    with suppress(WireError):
        dialect.input_tokens(parsed(dialect.CountBody, body))
