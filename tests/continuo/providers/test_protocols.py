"""Every protocol round-trips what a model can be asked and can answer, against the simulated provider."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from continuo.catalog import Catalog, Model, load_catalog
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse, Tool, ToolCall, Usage
from continuo.providers.client import ModelClient
from continuo.settings import Settings, environment
from tests.support import Control

WEATHER = Tool(
    name="weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"label": {"enum": ["spam", "fine"]}, "score": {"type": "number"}},
    "required": ["label", "score"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def catalog(simulator_process: Control) -> Catalog:
    return load_catalog(Settings().catalog)


@pytest.fixture
async def models(catalog: Catalog) -> AsyncIterator[ModelClient]:
    client = ModelClient(catalog, environment(), Settings().knowledge)
    yield client
    await client.aclose()


@pytest.fixture(params=["sim-premium", "sim-mid", "sim-mini"], ids=["anthropic", "openai", "google"])
def model(request: pytest.FixtureRequest, catalog: Catalog) -> Model:
    return catalog.models[request.param]


def ask(*messages: Message, **fields: Any) -> ModelRequest:
    return ModelRequest(messages=messages or (Message(role="user", content="Hello there"),), **fields)


async def answer(models: ModelClient, model: Model, request: ModelRequest, *, stream: bool) -> ModelResponse:
    """The answer, whole or put together from a stream whose pieces must add up to it."""
    if not stream:
        return await models.complete(model, request, timeout=5, idempotency_key="k")
    *pieces, last = [piece async for piece in models.stream(model, request, timeout=5, idempotency_key="k")]
    assert isinstance(last, ModelResponse)
    assert "".join(str(piece) for piece in pieces) == last.message.content
    return last


both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@both
async def test_a_text_comes_back_with_its_usage_and_is_marked_as_simulated(
    models: ModelClient, model: Model, simulator: Control, stream: bool
) -> None:
    await simulator.behave(
        model.id, text="Ünïcode and\nlines, of more than three words", tokens={"input": 7, "output": 9, "cached": 3}
    )
    found = await answer(models, model, ask(system="Be brief."), stream=stream)
    assert found.message == Message(role="assistant", content="Ünïcode and\nlines, of more than three words")
    assert (found.finish_reason, found.simulated) == ("stop", True)
    assert found.usage == Usage(input_tokens=7, output_tokens=9, cached_tokens=3)


@both
async def test_a_tool_call_and_its_result_go_both_ways(
    models: ModelClient, model: Model, simulator: Control, stream: bool
) -> None:
    await simulator.behave(model.id, tool_call={"name": "weather", "arguments": {"city": "Malmö"}})
    question = Message(role="user", content="Umbrella?")
    found = await answer(models, model, ask(question, tools=(WEATHER,)), stream=stream)
    assert found.finish_reason == "tool_calls"
    [call] = found.message.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Malmö"})
    told = Message(role="tool", content="rain", tool_call_id=call.id)
    found = await answer(models, model, ask(question, found.message, told, tools=(WEATHER,)), stream=stream)
    assert found.message.content.startswith(f"[simulated {model.name}]")
    assert found.finish_reason == "stop"


@both
async def test_an_answer_fits_the_schema_that_was_asked_for(
    models: ModelClient, model: Model, simulator: Control, stream: bool
) -> None:
    found = await answer(models, model, ask(response_schema=SCHEMA), stream=stream)
    assert json.loads(found.message.content) == {"label": "spam", "score": 0}


@both
async def test_an_answer_that_was_cut_off_at_the_limit_says_so(
    models: ModelClient, model: Model, simulator: Control, stream: bool
) -> None:
    await simulator.behave(model.id, finish_reason="length")
    assert (await answer(models, model, ask(max_tokens=5), stream=stream)).finish_reason == "length"


@both
async def test_missing_usage_is_estimated(models: ModelClient, model: Model, simulator: Control, stream: bool) -> None:
    await simulator.behave(model.id, fault="no_usage", text="12345678")
    found = await answer(models, model, ask(Message(role="user", content="1234")), stream=stream)
    assert found.usage == Usage(input_tokens=1, output_tokens=2, estimated=True)


@both
@pytest.mark.parametrize(
    ("behaviour", "kind", "retryable"),
    [
        ({"fault": "refusal"}, "refused", False),
        ({"fault": "cut"}, ("invalid_response", "connection"), True),
        ({"fault": "reset"}, "connection", True),
        ({"status": 429, "retry_after": 7}, "rate_limited", True),
        ({"status": 429, "error_code": "insufficient_quota"}, "rate_limited", False),
        ({"status": 401}, "unauthorized", False),
        ({"latency": 9}, "timeout", True),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_each_failure_has_its_kind_and_says_whether_to_try_again(
    models: ModelClient, model: Model, simulator: Control, stream: bool, behaviour: Any, kind: Any, retryable: bool
) -> None:
    await simulator.behave(model.id, **behaviour)
    if behaviour.get("error_code") and model.id != "sim-mid":
        pytest.skip("OpenAI's own code")
    with pytest.raises(ProviderError) as raised:
        if behaviour.get("latency"):
            await models.complete(model, ask(), timeout=0.2, idempotency_key="k")
        await answer(models, model, ask(), stream=stream)
    assert raised.value.kind in kind
    assert raised.value.retryable is retryable
    assert raised.value.retry_after == behaviour.get("retry_after")


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("sim-premium", "system"), ("sim-mid", "messages"), ("sim-mini", "systemInstruction")],
)
async def test_the_system_prompt_is_kept_apart_from_the_user(
    models: ModelClient, catalog: Catalog, simulator: Control, protocol: str, path: str
) -> None:
    request = ask(system="RULES", temperature=0.5, stop=("END",), max_tokens=9)
    await models.complete(catalog.models[protocol], request, timeout=5, idempotency_key="k")
    [call] = await simulator.calls()
    body = call["body"]
    system = body[path][0] if path == "messages" else body[path]
    assert "RULES" in json.dumps(system)
    assert json.dumps(body).count("RULES") == 1
    config = body.get("generationConfig", body)
    assert config["temperature"] == 0.5
    assert ["END"] in config.values()
    assert 9 in config.values()


async def test_a_refused_connection_is_retryable_and_names_the_provider(catalog: Catalog) -> None:
    client = ModelClient(catalog, {"CONTINUO_SIM_URL": "http://127.0.0.1:1"}, Settings().knowledge)
    with pytest.raises(ProviderError, match="sim-openai: ConnectError") as raised:
        await client.complete(catalog.models["sim-mid"], ask(), timeout=5, idempotency_key="k")
    assert (raised.value.kind, raised.value.retryable) == ("connection", True)
    await client.aclose()


async def test_a_worker_without_the_key_says_which_and_sends_nothing(catalog: Catalog) -> None:
    client = ModelClient(catalog, {}, Settings().knowledge)
    with pytest.raises(ProviderError, match="OPENAI_API_KEY"):
        await client.complete(catalog.models["gpt-6-luna"], ask(), timeout=5, idempotency_key="k")
    await client.aclose()


def test_a_tool_call_whose_arguments_are_no_object_still_encodes(model: Model, catalog: Catalog) -> None:
    from continuo.providers.client import PROTOCOLS

    call = ToolCall(id="1", name="weather", arguments="not json")
    request = ask(Message(role="user", content="?"), Message(role="assistant", tool_calls=(call,)))
    protocol = PROTOCOLS[catalog.providers[model.provider].protocol]
    assert "not json" in json.dumps(protocol.encode("m", request, stream=False).body)
