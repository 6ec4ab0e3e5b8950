"""Each parameter in the shape of each protocol, there and back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from continuo.config.catalog import Model, load_catalog
from continuo.config.settings import Settings
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse, Token
from continuo.parameters import NamedTool, Parameters, Tool
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.protocol import Json, wire_protocol
from continuo.testing.processes import Control
from tests.continuo.providers.conftest import HELLO, PROTOCOLS

URL = "https://models.example/v1"
CATALOG = load_catalog(Settings().catalog)
TOOLS = (Tool(name="weather"), Tool(name="clock"))
EVERY = ModelRequest(
    messages=(Message(role="user", content="Hello"),),
    tools=TOOLS,
    tool_choice=NamedTool(name="clock"),
    parallel_tool_calls=False,
    temperature=0.0,
    top_p=0.5,
    seed=7,
    frequency_penalty=0.25,
    presence_penalty=-0.25,
    logprobs=True,
    top_logprobs=3,
    stop=("END",),
    reasoning_effort="high",
    verbosity="low",
    metadata={"team": "blue"},
    user="ada",
    cache_control="1h",
    prompt_cache_key="support",
    extra={
        "openai": {"store": True, "logit_bias": {"50256": -100}},
        "anthropic": {"top_k": 5, "thinking": {"type": "adaptive"}},
        "google": {"safetySettings": [], "generationConfig": {"topK": 5}},
    },
)


def encoded(protocol: str, **fields: Any) -> Json:
    """What goes out beside the messages; by default of a request that says no more than its messages."""
    request = HELLO.model_copy(update=fields) if fields else EVERY
    body = wire_protocol(protocol).encode(URL, "some-model", request, stream=False).body
    return {name: value for name, value in body.items() if name not in ("messages", "contents", "model", "tools")}


def test_openai_has_a_field_for_each_but_the_cache_of_anthropic() -> None:
    assert encoded("openai") == {
        "tool_choice": {"type": "function", "function": {"name": "clock"}},
        "parallel_tool_calls": False,
        "temperature": 0.0,
        "top_p": 0.5,
        "seed": 7,
        "frequency_penalty": 0.25,
        "presence_penalty": -0.25,
        "logprobs": True,
        "top_logprobs": 3,
        "stop": ["END"],
        "reasoning_effort": "high",
        "verbosity": "low",
        "metadata": {"team": "blue"},
        "user": "ada",
        "prompt_cache_key": "support",
        "store": True,
        "logit_bias": {"50256": -100},
    }


@pytest.mark.parametrize(("protocol", "inside"), [("openai", "function"), ("anthropic", None)])
def test_a_tool_that_is_strict_is_sent_as_such_and_another_as_ever(protocol: str, inside: str | None) -> None:
    request = HELLO.model_copy(update={"tools": (Tool(name="clock", strict=True), Tool(name="map"))})
    tools = wire_protocol(protocol).encode(URL, "some-model", request, stream=False).body["tools"]
    strict, other = [tool[inside] if inside else tool for tool in tools]
    assert strict["strict"] is True
    assert "strict" not in other


def test_anthropic_has_a_field_for_some_and_is_sent_no_other() -> None:
    assert encoded("anthropic") == {
        "max_tokens": 32_768,
        "tool_choice": {"type": "tool", "name": "clock", "disable_parallel_tool_use": True},
        "temperature": 0.0,
        "top_p": 0.5,
        "stop_sequences": ["END"],
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "ada"},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "top_k": 5,
        "thinking": {"type": "adaptive"},
    }


def test_google_has_most_in_its_generation_config() -> None:
    assert encoded("google") == {
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["clock"]}},
        "generationConfig": {
            "temperature": 0.0,
            "topP": 0.5,
            "seed": 7,
            "frequencyPenalty": 0.25,
            "presencePenalty": -0.25,
            "responseLogprobs": True,
            "logprobs": 3,
            "stopSequences": ["END"],
            "thinkingConfig": {"thinkingLevel": "high"},
            "topK": 5,
        },
        "safetySettings": [],
    }


@pytest.mark.parametrize(
    ("choice", "openai", "anthropic", "google"),
    [
        ("auto", "auto", "auto", "AUTO"),
        ("none", "none", "none", "NONE"),
        ("required", "required", "any", "ANY"),
    ],
)
def test_a_choice_of_tools_has_each_protocol_s_name(choice: str, openai: str, anthropic: str, google: str) -> None:
    fields = {"tools": TOOLS, "tool_choice": choice}
    assert encoded("openai", **fields)["tool_choice"] == openai
    assert encoded("anthropic", **fields)["tool_choice"] == {"type": anthropic}
    assert encoded("google", **fields)["toolConfig"] == {"functionCallingConfig": {"mode": google}}


def test_one_call_at_a_time_is_asked_of_anthropic_by_its_choice_of_tools() -> None:
    def choice(**fields: Any) -> Any:
        return encoded("anthropic", tools=TOOLS, **fields).get("tool_choice")

    assert choice(parallel_tool_calls=False) == {"type": "auto", "disable_parallel_tool_use": True}
    assert choice(parallel_tool_calls=False, tool_choice="none") == {"type": "none"}
    assert choice(parallel_tool_calls=True) is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_said_of_tools_is_not_sent_without_any(protocol: str) -> None:
    assert encoded(protocol, parallel_tool_calls=False, tool_choice="auto") == encoded(protocol, rated=False)


def test_json_is_asked_for_with_a_schema_or_without() -> None:
    json_object = {"response_format": "json_object"}
    assert encoded("openai", **json_object) == {"response_format": {"type": "json_object"}}
    assert encoded("google", **json_object) == {"generationConfig": {"responseMimeType": "application/json"}}
    for strict, sent in ((None, True), (True, True), (False, False)):
        body = encoded("openai", response_schema={"type": "object"}, strict=strict)
        assert body["response_format"]["json_schema"]["strict"] is sent


@pytest.mark.parametrize(
    ("effort", "openai", "anthropic", "google"),
    [
        ("none", "none", "low", "low"),
        ("minimal", "minimal", "low", "low"),
        ("low", "low", "low", "low"),
        ("medium", "medium", "medium", "medium"),
        ("xhigh", "xhigh", "xhigh", "high"),
        ("max", "xhigh", "max", "high"),
    ],
)
def test_an_effort_is_the_nearest_that_the_protocol_has(effort: str, openai: str, anthropic: str, google: str) -> None:
    assert encoded("openai", reasoning_effort=effort)["reasoning_effort"] == openai
    assert encoded("anthropic", reasoning_effort=effort)["output_config"] == {"effort": anthropic}
    config = encoded("google", reasoning_effort=effort)["generationConfig"]
    assert config["thinkingConfig"] == {"thinkingLevel": google}


def test_labels_are_sent_with_an_answer_that_is_stored_alone() -> None:
    assert encoded("openai", metadata={"team": "blue"}) == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whatever_is_sent_cannot_be_passed_through_as_well(protocol: str) -> None:
    full = EVERY.model_copy(update={"extra": None, "system": "Be brief.", "max_tokens": 5})
    schema = full.model_copy(update={"response_schema": {"type": "object"}})
    for request in (full, schema):
        for stream in (False, True):
            body = wire_protocol(protocol).encode("https://api.openai.com/v1", "m", request, stream=stream).body
            config = body.pop("generationConfig", {})
            for extra in [{name: 1} for name in body] + [{"generationConfig": {name: 1}} for name in config]:
                with pytest.raises(ValueError, match="is what Continuo sends itself"):
                    Parameters.model_validate({"extra": {protocol: extra}})


@pytest.fixture
async def models(simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    client = ModelClient(CATALOG, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield client
    await client.aclose()


async def ask(models: ModelClient, name: str, **fields: Any) -> ModelResponse:
    request = HELLO.model_copy(update=fields)
    return await models.complete(CATALOG.models[name], request, timeout=10, idempotency_key="run/1")


EACH = pytest.mark.parametrize("name", ["sim-mid", "sim-premium", "sim-mini"])


@EACH
async def test_a_choice_of_tools_is_kept(models: ModelClient, simulator: Control, name: str) -> None:
    await simulator.behave(name, tool_call={"name": "weather", "arguments": {"city": "Paris"}})
    found = {
        str(choice): (await ask(models, name, tools=TOOLS, tool_choice=choice)).message.tool_calls
        for choice in (None, "auto", "none", "required", NamedTool(name="clock"))
    }
    named = {choice: [call.name for call in calls] for choice, calls in found.items()}
    assert named == {
        "None": ["weather"], "auto": ["weather"], "none": [], "required": ["weather"], "name='clock'": ["clock"]
    }  # fmt: skip
    with pytest.raises(ProviderError, match="400"):
        await ask(models, name, tools=TOOLS, tool_choice=NamedTool(name="map"))


@pytest.mark.parametrize("name", ["sim-mid", "sim-mini"])
async def test_the_tokens_come_with_their_probabilities_whole_and_streamed(
    models: ModelClient, simulator: Control, name: str
) -> None:
    await simulator.behave(name, confidence=1, text="one two three four five")
    model = CATALOG.models[name]
    for top in (None, 2):
        request = HELLO.model_copy(update={"logprobs": True, "top_logprobs": top})
        whole = await models.complete(model, request, timeout=10, idempotency_key="run/1")
        *_, last = [item async for item in models.stream(model, request, timeout=10, idempotency_key="run/1")]
        for found in (whole, last):
            assert isinstance(found, ModelResponse)
            assert "".join(token.text for token in found.logprobs) == found.message.text
            first = found.logprobs[0]
            assert first == Token(text=first.text, logprob=0, top=((first.text, 0),) if top else ())
    assert (await ask(models, name)).logprobs == ()


@pytest.mark.parametrize("name", ["sim-mid", "sim-mini"])
async def test_any_json_object_is_one(models: ModelClient, name: str) -> None:
    assert json.loads((await ask(models, name, response_format="json_object")).message.text).keys() == {"answer"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("sim-mid", ["temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs"]),
        ("sim-premium", ["temperature", "top_p", "tool_choice"]),
        ("sim-mini", ["temperature", "topP", "candidateCount"]),
    ],
)
async def test_a_model_may_refuse_a_field_as_newer_ones_do(
    models: ModelClient, simulator: Control, name: str, fields: list[str]
) -> None:
    await simulator.behave(name, refuses=fields)
    assert (await ask(models, name)).message.text
    with pytest.raises(ProviderError, match="400 Unsupported parameter: 'temperature'") as caught:
        await ask(models, name, temperature=0.5)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_request", False)


def test_each_model_of_the_catalog_says_what_it_refuses() -> None:
    def refused(name: str) -> frozenset[str]:
        model: Model = CATALOG.models[name]
        # What asks for an embedding, every model refuses that has words.
        assert model.embeds or CATALOG.refused_by(model) >= {"embed", "dimensions", "tokens", "segments"}
        return frozenset(CATALOG.refused_by(model)) - {"embed", "dimensions", "tokens", "segments"}

    assert {"temperature", "top_p", "tool_choice", "seed", "logprobs", "response_format"} <= refused("claude-opus-5-5")
    assert refused("gpt-6.1-sol") == {"temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs"}
    assert refused("gemini-3.8-flash") == {"parallel_tool_calls", "logprobs"}
    assert refused("sim-mid") == refused("knowledge") == frozenset()
    assert {"tools", "seed", "temperature"} <= refused("text-embedding-3-small")


def test_a_probability_whose_token_is_not_told_costs_no_answer() -> None:
    choice = {"message": {"content": "yes"}, "finish_reason": "stop", "logprobs": {"content": [{"logprob": -0.5}]}}
    answer = wire_protocol("openai").decode({"choices": [choice]})
    assert (answer.message.text, answer.logprobs) == ("yes", (Token(text="", logprob=-0.5),))
