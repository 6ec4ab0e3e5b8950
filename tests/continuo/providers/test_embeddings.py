"""The shapes of embeddings, and the client against the simulated provider."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Catalog, load_catalog
from continuo.config.settings import Settings
from continuo.errors import ProviderError
from continuo.messages import Usage
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.protocol import wire_protocol
from continuo.testing.processes import Control

TEXT = "Where is my order?"


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
async def test_a_text_is_embedded_and_counted(
    client: ModelClient, catalog: Catalog, simulator: Control, id: str
) -> None:
    model = catalog.models[id]
    await simulator.behave(model.name, embeddings={TEXT: [0.5, -1.0]})
    found = await client.embed(model, TEXT, timeout=5, idempotency_key="k")
    assert (found.vector, found.simulated) == ((0.5, -1.0), True)
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
        await client.embed(catalog.models["sim-embed"], TEXT, timeout=5, idempotency_key="k")
    assert raised.value.kind == kind


@pytest.mark.parametrize("id", ["sim-premium", "knowledge"])
async def test_a_model_whose_protocol_has_no_embeddings_says_so(client: ModelClient, catalog: Catalog, id: str) -> None:
    with pytest.raises(ProviderError, match=f"{id} cannot embed; name an embedding model"):
        await client.embed(catalog.models[id], TEXT, timeout=5, idempotency_key="k")


async def test_the_simulator_gives_equal_texts_equal_vectors_and_others_distant_ones(
    client: ModelClient, catalog: Catalog
) -> None:
    async def vector(text: str) -> tuple[float, ...]:
        return (await client.embed(catalog.models["sim-embed"], text, timeout=5, idempotency_key="k")).vector

    one, again, other = await vector("a"), await vector("a"), await vector("b")
    assert one == again
    assert abs(sum(x * y for x, y in zip(one, other, strict=True))) < 0.7 * sum(x * x for x in one)


@pytest.mark.parametrize("protocol", ["openai", "google"])
@given(st.text())
def test_the_text_is_in_the_request_as_it_is(protocol: str, text: str) -> None:
    embeddings = wire_protocol(protocol).embeddings
    assert embeddings is not None
    body = embeddings.encode("http://host/v1", "m", text).body
    assert text in (body.get("input"), *(part["text"] for part in body.get("content", {}).get("parts", ())))
