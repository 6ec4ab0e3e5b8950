"""KServe's protocol, version 2: from a request to tensors and back, and the client against the simulated server."""

import json
from array import array
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from continuo.config.catalog import Catalog, Model, load_catalog
from continuo.config.settings import Settings, unavailable
from continuo.deltas import TextDelta
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.protocol import Json, WireProtocol
from continuo.testing.processes import Control

CATALOG = load_catalog(Settings().catalog)
WORDS, VECTORS = CATALOG.models["sim-tensors"], CATALOG.models["sim-tensors-embed"]
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def asking(*texts: str, **fields: Any) -> ModelRequest:
    return ModelRequest(messages=tuple(Message(role="user", content=text) for text in texts), **fields)


def spoken(**tensors: Any) -> WireProtocol:
    """The protocol as it is spoken with a model of such tensors."""
    lines = {"provider": "p", "tensors": {"input": "in", "output": "out", **tensors}}
    catalog = Catalog.model_validate({"providers": {"p": {"protocol": "kserve"}}, "models": {"m": lines}})
    protocol = catalog.protocol(catalog.models["m"])
    assert isinstance(protocol, WireProtocol)
    return protocol


def encoded(protocol: WireProtocol, request: ModelRequest) -> list[Json]:
    body = protocol.encode("http://host/v2", "m", request, stream=False).body
    assert body["outputs"] == [{"name": "out"}]
    inputs: list[Json] = body["inputs"]
    return inputs


def result(decode: Callable[[Json], Any], body: Json) -> Any:
    """What a body is decoded to, or the kind of the error."""
    try:
        return decode(body)
    except ProviderError as error:
        return error.kind


def answered(data: Any, shape: list[int], datatype: str) -> Json:
    beside = {"name": "beside", "datatype": "BYTES", "shape": [1], "data": ["no"]}
    return {
        "model_name": "m",
        "outputs": [beside, {"name": "out", "datatype": datatype, "shape": shape, "data": data}],
    }


BY_SIZE = {size: spoken(max_batch_size=size) for size in (0, 1, 8)}


@given(st.text(), st.sampled_from([*BY_SIZE]))
def test_a_text_is_one_value_as_it_is_and_comes_back_so(text: str, size: int) -> None:
    protocol = BY_SIZE[size]
    [tensor] = encoded(protocol, asking(text))
    assert tensor == {"name": "in", "datatype": "BYTES", "shape": [1, 1] if size else [1], "data": [text]}
    answer = protocol.decode(answered(tensor["data"], tensor["shape"], "BYTES"))
    assert (answer.message.text, answer.finish_reason, answer.usage) == (text, "stop", None)


def test_turns_are_texts_one_after_the_other_or_the_json_of_messages() -> None:
    request = asking("Where is it?", "Please.", system="Be brief.")
    [plain] = encoded(spoken(), request)
    [messages] = encoded(spoken(messages=True), request)
    assert plain["data"] == ["Be brief.\n\nWhere is it?\n\nPlease."]
    assert json.loads(messages["data"][0]) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is it?"},
        {"role": "user", "content": "Please."},
    ]


def test_a_parameter_goes_by_its_tensor_and_only_where_it_is_set() -> None:
    limit = {"name": "request_output_len", "datatype": "INT32"}
    protocol = spoken(max_batch_size=4, parameters={"max_tokens": limit, "top_p": {"name": "p", "datatype": "FP32"}})
    _, *tensors = encoded(protocol, asking("x", max_tokens=7, temperature=0.5))
    assert tensors == [{**limit, "shape": [1, 1], "data": [7]}]
    assert protocol.lacks is not None
    assert "top_p" not in protocol.lacks
    assert protocol.lacks >= {"temperature", "seed", "tools", "response_schema", "dimensions"}


def test_a_number_that_its_tensor_cannot_hold_is_refused_by_its_name() -> None:
    protocol = spoken(parameters={"seed": {"name": "random_seed", "datatype": "UINT64"}})
    with pytest.raises(ProviderError, match="seed is -1, and the model's tensor 'random_seed' takes nothing below 0"):
        encoded(protocol, asking("x", seed=-1))


@given(st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=1, max_size=4), st.booleans())
def test_vectors_come_back_in_the_order_of_their_texts_flat_or_nested(vectors: list[list[float]], flat: bool) -> None:
    embeddings = BY_SIZE[8].embeddings
    assert embeddings is not None
    texts = [f"text {number}" for number, _ in enumerate(vectors)]
    [tensor] = embeddings.encode("http://host/v2", "m", asking(*texts)).body["inputs"]
    assert (tensor["shape"], tensor["data"]) == ([len(texts), 1], texts)
    numbers = [number for vector in vectors for number in vector]
    embedding = embeddings.decode(answered(numbers if flat else vectors, [len(vectors), 3], "FP32"))
    assert (list(array("f", embedding.vectors)), embedding.count) == (numbers, len(vectors))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), st.lists, max_leaves=5
)


@given(st.lists(st.integers(-2, 4) | JSON, max_size=3) | JSON, JSON, st.sampled_from(["BYTES", "FP32"]) | JSON)
def test_whatever_a_server_answers_is_an_answer_or_a_named_error(shape: Any, data: Any, datatype: Any) -> None:
    words, vectors = BY_SIZE[0], BY_SIZE[8].embeddings
    assert vectors is not None
    body = answered(data, shape, datatype)
    answer, embedding = result(words.decode, body), result(vectors.decode, body)
    assert answer == "invalid_response" or isinstance(answer.message.text, str)
    assert embedding == "invalid_response" or len(embedding.vectors) == 4 * shape[-1] * embedding.count


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"outputs": []}, "the response has no tensor 'out'"),
        (answered(["a", "b"], [2], "BYTES"), "the tensor 'out' holds 2 values, and not one text"),
        (answered([[1.5]], [1], "BYTES"), "the tensor 'out' holds 1 values, and not one text"),
        (answered([0.5], [1], "FP32"), "'out' is of FP32, and not of BYTES"),
        ({}, "unexpected shape .KeyError: 'outputs'"),
    ],
)
def test_what_is_no_answer_says_which_tensor_is_wrong(body: Json, why: str) -> None:
    with pytest.raises(ProviderError, match=why) as caught:
        spoken().decode(body)
    assert caught.value.retryable


@pytest.mark.parametrize("shape", [[2, 2], [10**12, []], [], [0], [-1], ["3"], [3.0], [10**9] * 10_000])
def test_a_shape_that_its_values_do_not_have_is_no_answer(shape: Any) -> None:
    embeddings = BY_SIZE[8].embeddings
    assert embeddings is not None
    with pytest.raises(ProviderError, match=r"no vectors of|unexpected shape|empty embedding"):
        embeddings.decode(answered([0.5, 1.0, 2.0], shape, "FP32"))


@pytest.mark.parametrize(
    ("protocol", "tensors", "why"),
    [
        ("kserve", None, "model 'm' tells no tensors; add `tensors = {"),
        ("openai", {"input": "a", "output": "b"}, "model 'm' has tensors; that needs a provider of protocol 'kserve'"),
        ("kserve", {"input": "a"}, "output"),
        ("kserve", {"input": "", "output": "b"}, "input"),
        ("kserve", {"input": "a", "output": "b", "version": ".."}, "version"),
        ("kserve", {"input": "a", "output": "b", "max_batch_size": -1}, "max_batch_size"),
        ("kserve", {"input": "a", "output": "b", "parameters": {"stop": "c"}}, "parameters.stop"),
        ("kserve", {"input": "a", "output": "b", "parameters": {"seed": {"name": "s", "datatype": "FP32"}}}, "seed"),
        (
            "kserve",
            {"input": "a", "output": "b", "parameters": {"seed": {"name": "a", "datatype": "INT64"}}},
            "two inputs are the tensor 'a'; give each its own",
        ),
    ],
)
def test_a_catalog_with_tensors_that_cannot_be_is_refused(protocol: str, tensors: Any, why: str) -> None:
    lines = {"m": {"provider": "p", "tensors": tensors}}
    with pytest.raises(ValidationError, match=why):
        Catalog.model_validate({"providers": {"p": {"protocol": protocol}}, "models": lines})


@pytest.fixture
async def client(simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    client = ModelClient(CATALOG, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield client
    await client.aclose()


async def ask(client: ModelClient, request: ModelRequest, model: Model = WORDS, timeout: float = 5) -> ModelResponse:
    return await client.complete(model, request, timeout=timeout, idempotency_key="run/1")


async def test_a_model_answers_with_its_tokens_estimated(client: ModelClient, simulator: Control) -> None:
    await simulator.behave("sim-tensors", text="It is on its way.")
    answer = await ask(client, asking("Where is it?", seed=7, max_tokens=20))
    assert (answer.message.text, answer.simulated) == ("It is on its way.", True)
    assert answer.usage is not None
    assert answer.usage.estimated
    [call] = await simulator.calls()
    assert (call["model"], call["protocol"], call["idempotency_key"]) == ("sim-tensors", "kserve", "run/1")
    assert [tensor["data"] for tensor in call["body"]["inputs"]] == [["Where is it?"], [20], [7]]


async def test_a_stream_is_the_whole_answer_in_one_piece(client: ModelClient, simulator: Control) -> None:
    await simulator.behave("sim-tensors", text="one two three four five six")
    pieces = [piece async for piece in client.stream(WORDS, asking("Count."), timeout=5, idempotency_key="run/1")]
    assert pieces[0] == TextDelta("one two three four five six")
    [answer] = pieces[1:]
    assert isinstance(answer, ModelResponse)
    assert answer.message.text == "one two three four five six"


async def test_texts_are_embedded_in_one_request_and_no_more_than_the_model_takes(
    client: ModelClient, simulator: Control
) -> None:
    await simulator.behave("sim-tensors-embed", embeddings={"a": [0.5, -1.0], "b": [2.0, 0.25]})
    embedding = await client.embed(VECTORS, asking("b", "a"), timeout=5, idempotency_key="k")
    assert (list(array("f", embedding.vectors)), embedding.count) == ([2.0, 0.25, 0.5, -1.0], 2)
    assert CATALOG.protocol(VECTORS).embeds == 8
    with pytest.raises(ProviderError, match=r"400 .*batch-size must be <= 8"):
        await client.embed(VECTORS, asking(*"123456789"), timeout=5, idempotency_key="k")


@pytest.mark.parametrize(
    ("behaviour", "kind", "retryable", "message"),
    [
        ({"status": 503, "error_message": "Exceeds maximum queue size"}, "server_error", True, "503 Exceeds maximum"),
        ({"status": 400, "error_message": "unknown model: 'x'"}, "invalid_request", False, "400 unknown model: 'x'"),
        ({"status": 429, "retry_after": 2}, "rate_limited", True, "429 scripted"),
        ({"fault": "cut"}, "connection", True, "sim-kserve: "),
        ({"fault": "not_json"}, "invalid_response", True, "sim-kserve: the response is not JSON"),
        ({"fault": "empty"}, "invalid_response", True, "sim-kserve: the response has no tensor 'text_output'"),
        ({"text": " "}, "invalid_response", True, "sim-kserve: the response has no text"),
        ({"latency": 5}, "timeout", True, "sim-kserve: no whole answer within 0.1 s"),
    ],
)
async def test_what_goes_wrong_has_a_kind_and_the_server_s_own_words(
    client: ModelClient, simulator: Control, behaviour: dict[str, object], kind: str, retryable: bool, message: str
) -> None:
    await simulator.behave("sim-tensors", **behaviour)
    with pytest.raises(ProviderError, match=message) as caught:
        await ask(client, asking("Hello"), timeout=0.1 if kind == "timeout" else 5)
    assert (caught.value.kind, caught.value.retryable) == (kind, retryable)


async def test_a_version_and_a_name_of_any_characters_are_asked_for(client: ModelClient, simulator: Control) -> None:
    assert WORDS.tensors is not None
    tensors = WORDS.tensors.model_copy(update={"version": "2"})
    model = WORDS.model_copy(update={"name": "a b:c", "tensors": tensors})
    protocol = CATALOG.protocol(model)
    assert isinstance(protocol, WireProtocol)
    wire = protocol.encode("http://host/v2", "org/a b", asking("x"), stream=False)
    assert wire.url == "http://host/v2/models/org%2Fa%20b/versions/2/infer"
    assert (await ask(client, asking("Hello"), model)).message.text
    [call] = await simulator.calls()
    assert call["model"] == "a b:c"


def test_a_server_is_passed_over_until_it_is_ready(httpserver: HTTPServer) -> None:
    lines = {"protocol": "kserve", "probe": True, "base_url": httpserver.url_for("/v2")}
    provider = Catalog.model_validate({"providers": {"p": lines}, "models": {}}).providers["p"]
    httpserver.expect_oneshot_request("/v2/health/ready", method="GET").respond_with_data(status=503)
    httpserver.expect_oneshot_request("/v2/health/ready", method="GET").respond_with_data("")
    reasons = [unavailable(provider, {}, simulated=False) for _ in range(2)]
    assert reasons == [f"wait until the server at {provider.base_url} is ready", None]
    gone = provider.model_copy(update={"base_url": "http://127.0.0.1:1/v2"})
    assert unavailable(gone, {}, simulated=False) == "start the server at http://127.0.0.1:1/v2"
