"""The shapes of embeddings, and the client against the simulated provider."""

from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from continuo.config.catalog import Catalog, load_catalog
from continuo.config.settings import Settings
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, Usage
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.embeddings import embedding
from continuo.providers.protocol import wire_protocol
from continuo.testing.processes import Control

TEXT = "Where is my order?"


def asking(*texts: str, dimensions: int | None = None) -> ModelRequest:
    turns = tuple(Message(role="user", content=text) for text in texts)
    return ModelRequest(messages=turns, embed=True, dimensions=dimensions)


@pytest.fixture
def catalog() -> Catalog:
    """With a model that embeds by Google's protocol as well."""
    found = load_catalog(Settings().catalog)
    google = found.models["sim-embed"].model_copy(update={"id": "sim-google-embed", "provider": "sim-google"})
    return found.model_copy(update={"models": {**found.models, google.id: google}})


@pytest.fixture
async def client(catalog: Catalog, simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    found = ModelClient(catalog, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield found
    await found.aclose()


@pytest.mark.parametrize("id", ["sim-embed", "sim-google-embed"])
async def test_texts_are_embedded_and_counted_in_one_request(
    client: ModelClient, catalog: Catalog, simulator: Control, id: str
) -> None:
    model = catalog.models[id]
    await simulator.behave(model.name, embeddings={TEXT: [0.5, -1.0, 3.0], "b": [2.0, 0.25, 4.0]})
    found = await client.embed(model, asking(TEXT, "b", dimensions=2), timeout=5, idempotency_key="k")
    assert (list(array("f", found.vectors)), found.count, found.simulated) == ([0.5, -1.0, 2.0, 0.25], 2, True)
    estimated = id == "sim-google-embed"
    assert found.usage == Usage(input_tokens=5, estimated=estimated)
    [call] = await simulator.calls()
    assert call["idempotency_key"] == "k"


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [({"status": 429}, "rate_limited"), ({"fault": "empty"}, "invalid_response"), ({"fault": "cut"}, "connection")],
)
async def test_what_goes_wrong_has_a_kind(
    client: ModelClient, catalog: Catalog, simulator: Control, behaviour: dict[str, object], kind: str
) -> None:
    await simulator.behave("sim-embed", **behaviour)
    with pytest.raises(ProviderError) as raised:
        await client.embed(catalog.models["sim-embed"], asking(TEXT), timeout=5, idempotency_key="k")
    assert raised.value.kind == kind


async def test_an_answer_to_another_number_of_texts_is_none(
    catalog: Catalog, httpserver: HTTPServer, tmp_path: Path
) -> None:
    answer = {"data": [{"index": 0, "embedding": [1.0]}], "usage": {"prompt_tokens": 3}}
    httpserver.expect_request("/v1/embeddings", method="POST").respond_with_json(answer)
    client = ModelClient(catalog, {"CONTINUO_SIM_URL": httpserver.url_for("").rstrip("/")}, tmp_path, Masker([]))
    with pytest.raises(ProviderError, match="1 embeddings of 2 texts") as raised:
        await client.embed(catalog.models["sim-embed"], asking("a", "b"), timeout=5, idempotency_key="k")
    assert (raised.value.kind, raised.value.usage) == ("invalid_response", Usage(input_tokens=3))
    await client.aclose()


@pytest.mark.parametrize(
    ("numbers", "order"), [([1, 0, 2], [1, 0, 2]), ([None, None], [0, 1]), ([0, 0, 1], None), ([1, 2], None)]
)
def test_vectors_are_put_in_order_by_their_numbers_and_by_nothing_else(
    numbers: list[int | None], order: list[int] | None
) -> None:
    protocol = wire_protocol("openai").embeddings
    assert protocol is not None
    data = [
        {"embedding": [float(at)]} | ({} if number is None else {"index": number}) for at, number in enumerate(numbers)
    ]
    body = {"data": data, "usage": {"prompt_tokens": 3}}
    if order is not None:
        assert list(array("f", protocol.decode(body).vectors)) == order
        return
    with pytest.raises(ProviderError, match="embeddings of the numbers") as raised:
        protocol.decode(body)
    assert (raised.value.kind, raised.value.usage) == ("invalid_response", Usage(input_tokens=3))


@pytest.mark.parametrize("id", ["sim-premium", "knowledge"])
async def test_a_model_whose_protocol_has_no_embeddings_says_so(client: ModelClient, catalog: Catalog, id: str) -> None:
    with pytest.raises(ProviderError, match=f"{id} cannot embed; name an embedding model"):
        await client.embed(catalog.models[id], asking(TEXT), timeout=5, idempotency_key="k")


async def test_the_simulator_gives_equal_texts_equal_vectors_and_others_distant_ones(
    client: ModelClient, catalog: Catalog
) -> None:
    async def vector(text: str) -> list[float]:
        found = await client.embed(catalog.models["sim-embed"], asking(text), timeout=5, idempotency_key="k")
        return list(array("f", found.vectors))

    one, again, other = await vector("a"), await vector("a"), await vector("b")
    assert one == again
    assert abs(sum(x * y for x, y in zip(one, other, strict=True))) < 0.7 * sum(x * x for x in one)


@pytest.mark.parametrize("protocol", ["openai", "google"])
@given(st.text())
def test_the_text_is_in_the_request_as_it_is(protocol: str, text: str) -> None:
    embeddings = wire_protocol(protocol).embeddings
    assert embeddings is not None
    body = embeddings.encode("http://host/v1", "m", asking(text, "x")).body
    given = body.get("input") or [one["content"]["parts"][0]["text"] for one in body["requests"]]
    assert given == [text, "x"]


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=1, max_size=4), st.booleans())
def test_numbers_and_base64_are_the_same_vectors(vectors: list[list[float]], packed: bool) -> None:
    given = [b64encode(array("f", one).tobytes()).decode() if packed else one for one in vectors]
    found = embedding(given, None)
    assert (list(array("f", found.vectors)), found.count) == ([number for one in vectors for number in one], len(given))


@pytest.mark.parametrize("vectors", [[], [[]], [[1.0], []], [[1.0], [1.0, 2.0]], [[1e300]], ["AACAfw=="], ["AADAfw=="]])
def test_vectors_that_nobody_could_compare_are_no_answer(vectors: list[list[float] | str]) -> None:
    with pytest.raises(ProviderError) as raised:
        embedding(vectors, Usage(input_tokens=1))
    assert (raised.value.kind, raised.value.usage) == ("invalid_response", Usage(input_tokens=1))
