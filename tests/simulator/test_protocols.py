"""Each protocol has its provider's own shape, whole and streamed."""

import math
from typing import Any

import pytest

from continuo.testing.processes import Control
from tests.simulator.conftest import EVERY_PROTOCOL, PROMPT, SCHEMA, Asking, Json, events, text

TEXT = "one two three four five"
ARGUMENTS = {"city": "Paris"}
TOOLS: dict[str, Json] = {
    "openai": {"tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]},
    "anthropic": {"tools": [{"name": "weather", "input_schema": {}}]},
    "google": {"tools": [{"functionDeclarations": [{"name": "weather"}]}, {"googleSearch": {}}]},
}
WITH_RESULT: dict[str, Json] = {
    "openai": {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "weather", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "rain"},
            {"role": "user", "content": [{"type": "text", "text": "And tomorrow?"}]},
        ]
    },
    "anthropic": {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "weather", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "rain"}]},
            {"role": "user", "content": [{"type": "text", "text": "And tomorrow?"}]},
        ]
    },
    "google": {
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"sky": "rain"}}}]},
            {"role": "user", "parts": [{"text": "And tomorrow?"}]},
        ]
    },
}


@pytest.fixture
async def scripted(simulator: Control) -> None:
    await simulator.behave("m", text=TEXT, tokens={"input": 10, "output": 5, "cached": 4})


@pytest.mark.usefixtures("scripted")
async def test_openai_answers_with_a_chat_completion(client: Asking) -> None:
    found = await client.answer("openai", "m")
    assert found.pop("id").startswith("chatcmpl-")
    assert found.pop("created") > 0
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    assert found == {
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                  "prompt_tokens_details": {"cached_tokens": 4}},
    }  # fmt: skip


@pytest.mark.usefixtures("scripted")
async def test_anthropic_answers_with_a_message_whose_input_leaves_out_what_was_cached(client: Asking) -> None:
    found = await client.answer("anthropic", "m")
    assert found.pop("id").startswith("msg_")
    assert found == {
        "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 6, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0,
                  "output_tokens": 5},
    }  # fmt: skip


@pytest.mark.usefixtures("scripted")
async def test_gemini_answers_with_a_candidate(client: Asking) -> None:
    found = await client.answer("google", "m")
    assert found.pop("responseId")
    content = {"role": "model", "parts": [{"text": TEXT}]}
    assert found == {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "cachedContentTokenCount": 4,
                          "totalTokenCount": 15},
        "modelVersion": "m",
    }  # fmt: skip


@pytest.mark.usefixtures("scripted")
async def test_openai_streams_deltas_then_usage_then_done(client: Asking) -> None:
    response = await client.ask("openai", "m", stream=True, stream_options={"include_usage": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("data: [DONE]\n\n")
    *chunks, usage = events(response)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in [*chunks, usage]}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    assert [delta["content"] for delta in deltas[1:-1]] == ["one two three ", "four five"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-2:]] == [None, "stop"]
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 15)


async def test_openai_counts_a_stream_only_for_those_who_ask(client: Asking) -> None:
    assert not any("usage" in event for event in events(await client.ask("openai", stream=True)))


@pytest.mark.usefixtures("scripted")
async def test_anthropic_streams_named_events_in_order(client: Asking) -> None:
    response = await client.ask("anthropic", "m", stream=True)
    found = events(response)
    names = [line.removeprefix("event: ") for line in response.text.splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in found]
    assert names == ["message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta",
                     "content_block_stop", "message_delta", "message_stop"]  # fmt: skip
    assert found[0]["message"]["usage"]["input_tokens"] == 6
    assert found[2]["content_block"] == {"type": "text", "text": ""}
    assert [event["delta"]["text"] for event in found[3:5]] == ["one two three ", "four five"]
    assert found[6]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert found[6]["usage"] == {**found[0]["message"]["usage"], "output_tokens": 5}


@pytest.mark.usefixtures("scripted")
async def test_gemini_streams_whole_responses_and_ends_with_the_reason_and_the_counts(client: Asking) -> None:
    first, last = events(await client.ask("google", "m", stream=True))
    parts = [event["candidates"][0]["content"]["parts"] for event in (first, last)]
    assert parts == [[{"text": "one two three "}], [{"text": "four five"}]]
    assert "finishReason" not in first["candidates"][0]
    assert (last["candidates"][0]["finishReason"], last["usageMetadata"]["totalTokenCount"]) == ("STOP", 15)


def called(protocol: str, answer: Json) -> tuple[Any, str]:
    """A tool call's arguments or their JSON, and why the model stopped."""
    match protocol:
        case "openai":
            [choice] = answer["choices"]
            return choice["message"]["tool_calls"][0]["function"]["arguments"], choice["finish_reason"]
        case "anthropic":
            return answer["content"][0]["input"], answer["stop_reason"]
        case _:
            return answer["candidates"][0]["content"]["parts"][0]["functionCall"]["args"], "none of its own"


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("openai", ('{"city": "Paris"}', "tool_calls")),
        ("anthropic", (ARGUMENTS, "tool_use")),
        ("google", (ARGUMENTS, "none of its own")),
    ],
)
async def test_a_tool_is_called_if_it_is_offered_and_until_the_turns_hold_its_result(
    client: Asking, simulator: Control, protocol: str, expected: tuple[Any, str]
) -> None:
    await simulator.behave("m", tool_call={"name": "weather", "arguments": ARGUMENTS})
    assert PROMPT in text(protocol, await client.answer(protocol, "m"))
    assert called(protocol, await client.answer(protocol, "m", **TOOLS[protocol])) == expected
    after = await client.answer(protocol, "m", **TOOLS[protocol], **WITH_RESULT[protocol])
    assert "And tomorrow?" in text(protocol, after)


@EVERY_PROTOCOL
async def test_a_streamed_tool_call_comes_in_parts_that_make_the_same_arguments(
    client: Asking, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", tool_call={"name": "weather", "arguments": ARGUMENTS})
    found = events(await client.ask(protocol, "m", stream=True, **TOOLS[protocol]))
    match protocol:
        case "openai":
            calls = [
                c["delta"]["tool_calls"][0] for event in found for c in event["choices"] if "tool_calls" in c["delta"]
            ]
            assert (calls[0]["function"]["name"], calls[0]["id"][:5]) == ("weather", "call_")
            assert "".join(call["function"]["arguments"] for call in calls) == '{"city": "Paris"}'
        case "anthropic":
            [block] = [event["content_block"] for event in found if event["type"] == "content_block_start"]
            assert (block["name"], block["input"]) == ("weather", {})
            deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
            assert "".join(delta["partial_json"] for delta in deltas) == '{"city": "Paris"}'
        case _:
            assert called(protocol, found[0])[0] == ARGUMENTS


@pytest.mark.parametrize(
    ("protocol", "asked"),
    [
        ("openai", {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}),
        ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("google", {"generationConfig": {"responseJsonSchema": SCHEMA}}),
        ("google", {"generationConfig": {"responseSchema": {
            "type": "OBJECT", "properties": {"sure": {"type": "BOOLEAN"}}, "required": ["sure"]}}}),
    ],
)  # fmt: skip
async def test_a_demanded_schema_is_met_and_nothing_is_appended(
    client: Asking, simulator: Control, protocol: str, asked: Json
) -> None:
    await simulator.behave("m", confidence=0.5)
    assert text(protocol, await client.answer(protocol, "m", **asked)) == '{"sure": true}'
    await simulator.behave("m", text='{"sure": false}')
    assert text(protocol, await client.answer(protocol, "m", **asked)) == '{"sure": false}'


@pytest.mark.parametrize(("confidence", "mean"), [(0.9, math.log(0.9)), (1, 0), (0, -9999)])
async def test_openai_gives_the_confidence_as_the_mean_log_probability(
    client: Asking, simulator: Control, confidence: float, mean: float
) -> None:
    await simulator.behave("m", text=TEXT, confidence=confidence)
    [choice] = (await client.answer("openai", "m", logprobs=True))["choices"]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == choice["message"]["content"]
    assert sum(token["logprob"] for token in tokens) / len(tokens) == pytest.approx(mean)
    streamed = events(await client.ask("openai", "m", stream=True, logprobs=True))
    parts = [event["choices"][0]["logprobs"] for event in streamed]
    assert [token for part in parts if part for token in part["content"]] == tokens


@pytest.mark.parametrize(
    ("protocol", "status", "expected"),
    [
        ("openai", 401, {"type": "invalid_request_error", "param": None, "code": "invalid_api_key"}),
        ("openai", 429, {"type": "requests", "param": None, "code": "rate_limit_exceeded"}),
        ("openai", 500, {"type": "server_error", "param": None, "code": None}),
        ("anthropic", 400, {"type": "invalid_request_error"}),
        ("anthropic", 529, {"type": "overloaded_error"}),
        ("anthropic", 503, {"type": "api_error"}),
        ("google", 422, {"code": 422, "status": "INVALID_ARGUMENT"}),
        ("google", 429, {"code": 429, "status": "RESOURCE_EXHAUSTED"}),
        ("google", 503, {"code": 503, "status": "UNAVAILABLE"}),
    ],
)
async def test_an_error_is_told_in_the_protocols_own_words(
    client: Asking, simulator: Control, protocol: str, status: int, expected: Json
) -> None:
    await simulator.behave("m", status=status, error_message="told so")
    response = await client.ask(protocol, "m")
    assert response.status_code == status
    assert response.headers["x-continuo-simulated"] == "true"
    assert response.json()["error"] == {"message": "told so", **expected}


@EVERY_PROTOCOL
@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b'{"messages": 3, "model": "m"}', b'{"contents": [{}]}'])
async def test_a_body_that_is_no_request_is_a_400_in_the_protocols_own_words(
    client: Asking, protocol: str, sent: bytes
) -> None:
    path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
    response = await client.http.post(path.get(protocol, "/v1beta/models/m:generateContent"), content=sent)
    assert response.status_code == 400
    assert "no request of this protocol" in response.json()["error"]["message"]


async def test_gemini_has_no_other_method(client: Asking) -> None:
    assert (await client.http.post("/v1beta/models/m:countTokens", json={"contents": []})).status_code == 404
