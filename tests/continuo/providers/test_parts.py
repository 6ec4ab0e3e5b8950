"""Media and reasoning in the shape of each protocol, out and in."""

import json
import threading
from base64 import b64encode
from typing import Any

import pytest

from continuo.config.catalog import Model
from continuo.deltas import ToolDelta
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ToolCall, Usage
from continuo.parts import Reasoning, Text
from continuo.providers.client import ModelClient
from continuo.providers.openai import OpenAI
from continuo.providers.protocol import WireRequest, wire_protocol
from tests.continuo.providers.conftest import PROTOCOLS, Wire, shape
from tests.support.media import PDF, contents, part, png, wav

PHOTO, TALK, NOTES = png(), wav(), "Grüße".encode()
MEDIA = contents(PHOTO, TALK, PDF, NOTES)
PHOTO_64, TALK_64, PDF_64 = (b64encode(content).decode() for content in (PHOTO, TALK, PDF))
HM = {"text": "Hm.", "signature": "s3cret"}


def encoded(protocol: str, *messages: Message) -> Any:
    body = (
        wire_protocol(protocol)
        .encode("https://x", "m", ModelRequest(messages=messages), stream=False, media=MEDIA)
        .body
    )
    return body["contents" if protocol == "google" else "messages"]


def sent(protocol: str, *samples: bytes) -> Any:
    """The parts of a user's turn with these media and a question."""
    media = [part(sample, "notes.txt" if sample is NOTES else "sample") for sample in samples]
    [turn] = encoded(protocol, Message(role="user", content=(*media, Text(text="What is it?"))))
    return turn["parts" if protocol == "google" else "content"]


def test_openai_gets_media_in_its_own_shape() -> None:
    assert sent("openai", PHOTO, TALK, PDF, NOTES) == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PHOTO_64}"}},
        {"type": "input_audio", "input_audio": {"data": TALK_64, "format": "wav"}},
        {"type": "file", "file": {"filename": "sample", "file_data": f"data:application/pdf;base64,{PDF_64}"}},
        {"type": "text", "text": "notes.txt:\nGrüße"},
        {"type": "text", "text": "What is it?"},
    ]


def test_anthropic_gets_media_in_its_own_shape() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF_64}
    text = {"type": "text", "media_type": "text/plain", "data": "Grüße"}
    assert sent("anthropic", PHOTO, PDF, NOTES) == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PHOTO_64}},
        {"type": "document", "source": pdf, "title": "sample"},
        {"type": "document", "source": text, "title": "notes.txt"},
        {"type": "text", "text": "What is it?"},
    ]


def test_google_gets_media_in_its_own_shape() -> None:
    assert sent("google", PHOTO, TALK, PDF, NOTES) == [
        {"inlineData": {"mimeType": "image/png", "data": PHOTO_64}},
        {"inlineData": {"mimeType": "audio/wav", "data": TALK_64}},
        {"inlineData": {"mimeType": "application/pdf", "data": PDF_64}},
        {"inlineData": {"mimeType": "text/plain", "data": b64encode(NOTES).decode()}},
        {"text": "What is it?"},
    ]


def test_media_may_stand_alone() -> None:
    for protocol in PROTOCOLS:
        [turn] = encoded(protocol, Message(role="user", content=(part(PHOTO),)))
        assert len(turn["parts" if protocol == "google" else "content"]) == 1


def test_anthropic_gets_its_signed_thoughts_back_as_they_came() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s3cret"}
    redacted = {"type": "redacted_thinking", "data": "encrypted"}
    tool = {"type": "tool_use", "id": "a", "name": "track", "input": {}}
    content = [thinking, redacted, {"type": "text", "text": "Let me look."}, tool]
    found = wire_protocol("anthropic").decode({"content": content, "stop_reason": "tool_use"}).message
    assert found.text == "Let me look."
    assert encoded("anthropic", found) == [{"role": "assistant", "content": content}]


def test_google_gets_the_signatures_of_calls_thoughts_and_texts_back_as_they_came() -> None:
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": "one"},
        {"text": "Let me look.", "thoughtSignature": "two"},
        {"functionCall": {"id": "a", "name": "track", "args": {}}, "thoughtSignature": "three"},
        {"functionCall": {"id": "b", "name": "map", "args": {}}},
    ]
    body = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    found = wire_protocol("google").decode(body).message
    assert (found.text, [call.signature for call in found.tool_calls]) == ("Let me look.", ["three", None])
    assert encoded("google", found) == [{"role": "model", "parts": parts}]


def test_a_signature_that_google_streams_after_the_text_goes_back_with_it() -> None:
    decoder = wire_protocol("google").stream_decoder()
    pieces: list[Any] = [
        {"text": "H", "thought": True},
        {"text": "m.", "thought": True},
        {"text": "A "},
        {"text": "cat."},
    ]
    for piece in [*pieces, {"text": "", "thoughtSignature": "last"}]:
        decoder.feed({"candidates": [{"content": {"parts": [piece]}}]})
    decoder.feed({"candidates": [{"finishReason": "STOP"}]})
    found = decoder.finish().message
    assert found.text == "A cat."
    assert found.parts[0] == Reasoning(protocol="google", text="Hm.")
    assert encoded("google", found) == [{"role": "model", "parts": [{"text": "A cat.", "thoughtSignature": "last"}]}]


def test_anthropic_s_streamed_thoughts_are_put_together_with_their_signature() -> None:
    text = shape("anthropic", "stream.sse").decode()
    decoder = wire_protocol("anthropic").stream_decoder()
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    for event in events:
        decoder.feed(event)
    thoughts = [part for part in decoder.finish().message.parts if isinstance(part, Reasoning)]
    signatures = [event["delta"]["signature"] for event in events if event.get("delta", {}).get("signature")]
    assert [thought.signature for thought in thoughts] == signatures != []
    assert thoughts[0].text


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_what_servers_of_openai_s_protocol_tell_of_their_reasoning_is_kept_apart(name: str) -> None:
    choice = {"message": {"content": "A cat.", name: "Hm."}, "finish_reason": "stop"}
    found = wire_protocol("openai").decode({"choices": [choice]}).message
    assert found.content == (Reasoning(protocol="openai", text="Hm."), Text(text="A cat."))
    decoder = wire_protocol("openai").stream_decoder()
    for delta in ({name: "H"}, {name: "m."}, {"content": "A cat."}):
        decoder.feed({"choices": [{"delta": delta}]})
    decoder.feed({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    assert decoder.finish().message == found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_thought_that_a_provider_would_refuse_is_left_out(protocol: str) -> None:
    others = [Reasoning.model_validate({"protocol": one, **HM}) for one in PROTOCOLS if one != protocol]
    unsigned = Reasoning.model_validate({"protocol": protocol, "text": "Hm."})
    plain = Message(role="assistant", content="A cat.")
    assert encoded(protocol, plain.model_copy(update={"content": (*others, unsigned, Text(text="A cat."))})) == encoded(
        protocol, plain
    )


def test_a_call_of_another_model_is_handed_to_google_as_not_checked() -> None:
    call = ToolCall(id="a", name="track", arguments="{}")
    [turn] = encoded("google", Message(role="assistant", tool_calls=(call,)))
    assert turn["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"


@pytest.mark.parametrize(("size", "apart"), [(1_000, False), (1_000_000, True)])
async def test_large_media_are_encoded_where_the_event_loop_does_not_wait(
    models: ModelClient, wire: Wire, monkeypatch: pytest.MonkeyPatch, size: int, apart: bool
) -> None:
    threads: list[threading.Thread] = []
    encode = OpenAI.encode

    def noted(*args: Any, **kwargs: Any) -> WireRequest:
        threads.append(threading.current_thread())
        return encode(*args, **kwargs)

    monkeypatch.setattr(OpenAI, "encode", noted)
    wire.answers(shape("openai", "text.json"))
    content = b"a" * size
    request = ModelRequest(messages=(Message(role="user", content=(part(content),)),))
    model = Model(id="m", provider="openai", name="m")
    await models.complete(model, request, timeout=5, idempotency_key="k", media=contents(content))
    assert (threads[0] is not threading.main_thread()) == apart


def test_a_call_whose_name_comes_after_its_id_begins_with_its_name() -> None:
    decoder = wire_protocol("openai").stream_decoder()
    parts: list[Any] = [
        {"index": 7, "id": "a", "function": {}},
        {"index": 7, "function": {"name": "clock"}},
        {"index": 7, "function": {"arguments": "{}"}},
    ]
    pieces = [piece for part in parts for piece in decoder.feed({"choices": [{"delta": {"tool_calls": [part]}}]})]
    decoder.feed({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    assert pieces == [ToolDelta(0, "a", "clock"), ToolDelta(0, arguments="{}")]
    assert decoder.finish().message.tool_calls == (ToolCall(id="a", name="clock", arguments="{}"),)


def test_a_call_whose_id_comes_late_begins_with_it_and_one_without_comes_at_the_end() -> None:
    decoder = wire_protocol("openai").stream_decoder()
    parts: list[Any] = [
        {"index": 0, "function": {"name": "clock", "arguments": "{"}},
        {"index": 1, "function": {"name": "clock", "arguments": "{}"}},
        {"index": 0, "id": "a", "function": {"arguments": "}"}},
        {"index": 0, "id": "b", "function": {"arguments": " "}},
    ]
    pieces = [piece for part in parts for piece in decoder.feed({"choices": [{"delta": {"tool_calls": [part]}}]})]
    assert pieces == [ToolDelta(0, "a", "clock", "{}"), ToolDelta(0, arguments=" ")]
    end = decoder.feed({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    assert list(end) == [ToolDelta(1, "", "clock", "{}")]
    assert [call.id for call in decoder.finish().message.tool_calls] == ["a", ""]


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "more"},
        {"reasoning": "hm"},
        {"refusal": "no"},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "clock"}}]},
    ],
)
def test_an_openai_stream_that_goes_on_after_its_end_is_no_answer(delta: dict[str, Any]) -> None:
    decoder = wire_protocol("openai").stream_decoder()
    decoder.feed({"choices": [{"delta": {"content": "A cat."}, "finish_reason": "stop"}]})
    decoder.feed({"choices": [{"delta": {"content": "", "role": "assistant"}}]})
    decoder.feed({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    with pytest.raises(ProviderError, match="goes on after its end") as raised:
        decoder.feed({"choices": [{"delta": delta}]})
    assert raised.value.kind == "invalid_response"
    assert raised.value.usage == Usage(input_tokens=3, output_tokens=2)


@pytest.mark.parametrize(
    "part", [{"text": "more"}, {"text": "hm", "thought": True}, {"functionCall": {"name": "clock"}}]
)
def test_a_google_stream_that_goes_on_after_its_end_is_no_answer(part: dict[str, Any]) -> None:
    decoder = wire_protocol("google").stream_decoder()
    decoder.feed({"candidates": [{"content": {"parts": [{"text": "A cat."}]}, "finishReason": "STOP"}]})
    decoder.feed({"candidates": [{"content": {"parts": [{"text": ""}]}}]})
    with pytest.raises(ProviderError, match="goes on after its end") as raised:
        decoder.feed({"candidates": [{"content": {"parts": [part]}}]})
    assert raised.value.kind == "invalid_response"
