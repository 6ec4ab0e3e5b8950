"""There and back: the client and the simulated provider understand each other in all three protocols."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from continuo.config.catalog import Model, load_catalog
from continuo.config.settings import Settings
from continuo.deltas import TextDelta
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse, Usage
from continuo.parameters import Tool
from continuo.parts import Reasoning, Text
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.testing.processes import Control
from tests.support.media import PDF, contents, part, png, wav

pytestmark = pytest.mark.parametrize("name", ["sim-mid", "sim-premium", "sim-mini"])
CATALOG = load_catalog(Settings().catalog)
HELLO = ModelRequest(messages=(Message(role="user", content="Where is my order?"),), system="Be brief.")
WEATHER = Tool(name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}})


@pytest.fixture
async def models(simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    client = ModelClient(CATALOG, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield client
    await client.aclose()


async def ask(models: ModelClient, name: str, request: ModelRequest = HELLO) -> ModelResponse:
    return await models.complete(CATALOG.models[name], request, timeout=10, idempotency_key="run/1")


async def streamed(models: ModelClient, model: Model) -> tuple[str, ModelResponse]:
    *pieces, whole = [item async for item in models.stream(model, HELLO, timeout=10, idempotency_key="run/1")]
    assert isinstance(whole, ModelResponse)
    assert len(pieces) > 1
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)), whole


async def test_a_question_is_answered_and_its_tokens_are_counted(
    models: ModelClient, simulator: Control, name: str
) -> None:
    await simulator.behave(name, tokens={"input": 1000, "output": 50, "cached": 200})
    found = await ask(models, name)
    assert "Where is my order?" in found.message.text
    assert (found.finish_reason, found.simulated) == ("stop", True)
    assert found.usage == Usage(input_tokens=1000, output_tokens=50, cached_tokens=200)
    [asked] = await simulator.calls(name)
    assert asked["idempotency_key"] == "run/1"
    assert "Be brief." in json.dumps(asked["body"])


async def test_a_stream_ends_with_what_a_whole_answer_would_be(
    models: ModelClient, simulator: Control, name: str
) -> None:
    whole = await ask(models, name)
    assert await streamed(models, CATALOG.models[name]) == (whole.message.text, whole)


async def test_a_tool_is_called_and_its_result_is_understood(
    models: ModelClient, simulator: Control, name: str
) -> None:
    await simulator.behave(name, tool_call={"name": "weather", "arguments": {"city": "Paris"}})
    request = HELLO.model_copy(update={"tools": (WEATHER,)})
    first = await ask(models, name, request)
    [call] = first.message.tool_calls
    assert (call.name, json.loads(call.arguments), first.finish_reason) == ("weather", {"city": "Paris"}, "tool_calls")
    result = Message(role="tool", tool_call_id=call.id, content="rain")
    second = await ask(models, name, request.model_copy(update={"messages": (*HELLO.messages, first.message, result)}))
    assert (second.message.tool_calls, second.finish_reason) == ((), "stop")
    assert second.message.text


async def test_media_reach_the_model_and_count(models: ModelClient, simulator: Control, name: str) -> None:
    # Anthropic's protocol has no audio.
    samples = [png(), PDF, *([] if name == "sim-premium" else [wav()])]
    turn = Message(role="user", content=(*map(part, samples), Text(text="What is it?")))
    request, model = ModelRequest(messages=(turn,)), CATALOG.models[name]
    media = contents(*samples)
    found = await models.complete(model, request, timeout=10, idempotency_key="run/1", media=media)
    for sample in samples:
        assert f" of {len(sample):,} bytes" in found.message.text
    assert found.usage
    assert found.usage.input_tokens >= 258 * len(samples)


async def test_a_thought_comes_back_signed_and_is_taken_back_with_the_tool_s_result(
    models: ModelClient, simulator: Control, name: str
) -> None:
    await simulator.behave(name, thought="Paris, then.", tool_call={"name": "weather", "arguments": {"city": "Paris"}})
    request = HELLO.model_copy(update={"tools": (WEATHER,)})
    first = (await ask(models, name, request)).message
    protocol = CATALOG.providers[CATALOG.models[name].provider].protocol
    [thought] = first.parts
    assert isinstance(thought, Reasoning)
    assert (thought.protocol, thought.text) == (protocol, "Paris, then.")
    assert (thought.signature is None) == (protocol == "openai")
    result = Message(role="tool", tool_call_id=first.tool_calls[0].id, content="rain")
    second = await ask(models, name, request.model_copy(update={"messages": (*HELLO.messages, first, result)}))
    assert second.finish_reason == "stop"
    text, whole = await streamed(models, CATALOG.models[name])
    assert (text, whole.message.text) == (text, text)
    assert any(isinstance(part, Reasoning) for part in whole.message.parts)


async def test_a_forged_thought_is_refused_where_thoughts_are_signed(
    models: ModelClient, simulator: Control, name: str
) -> None:
    protocol = CATALOG.providers[CATALOG.models[name].provider].protocol
    thought = Reasoning.model_validate({"protocol": protocol, "text": "Berlin.", "signature": "forged"})
    forged = Message(role="assistant", content=(thought, Text(text="Where?")))
    request = HELLO.model_copy(update={"messages": (*HELLO.messages, forged, *HELLO.messages)})
    if protocol == "openai":
        # No thought goes back.
        assert (await ask(models, name, request)).message.text
        return
    with pytest.raises(ProviderError, match=r"400 .*invalid signature of the thought 'Berlin\.'"):
        await ask(models, name, request)


async def test_an_answer_fits_the_schema_that_was_asked_for(models: ModelClient, simulator: Control, name: str) -> None:
    schema = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}
    found = await ask(models, name, HELLO.model_copy(update={"response_schema": schema}))
    assert json.loads(found.message.text) == {"sure": True}


async def test_an_answer_cut_at_the_limit_says_so(models: ModelClient, simulator: Control, name: str) -> None:
    await simulator.behave(name, finish_reason="length")
    assert (await ask(models, name)).finish_reason == "length"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("not_json", "invalid_response"),
        ("empty", "invalid_response"),
        ("cut", "connection"),
        ("reset", "connection"),
        ("refusal", "refused"),
    ],
)
async def test_a_fault_has_the_same_kind_in_every_protocol(
    models: ModelClient, simulator: Control, name: str, fault: str, kind: str
) -> None:
    await simulator.behave(name, fault=fault)
    with pytest.raises(ProviderError) as caught:
        await ask(models, name)
    assert caught.value.kind == kind
    assert caught.value.retryable == (fault != "refusal")


async def test_a_stream_cut_short_gives_no_whole_answer(models: ModelClient, simulator: Control, name: str) -> None:
    await simulator.behave(name, fault="cut")
    with pytest.raises(ProviderError, match="cut before its end") as caught:
        await streamed(models, CATALOG.models[name])
    assert caught.value.retryable
