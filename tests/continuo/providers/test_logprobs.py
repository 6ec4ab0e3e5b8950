"""How sure a model is by the probabilities of its tokens: asked for, and read, where the catalog says it can."""

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from continuo.config.catalog import Model, load_catalog
from continuo.config.settings import Settings
from continuo.messages import ModelRequest, ModelResponse
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient
from continuo.providers.protocol import wire_protocol
from continuo.testing.processes import Control
from tests.continuo.providers.conftest import HELLO, PROTOCOLS, Wire, ask, shape

CATALOG = load_catalog(Settings().catalog)
RATED = HELLO.model_copy(update={"rated": True})
ASKED: dict[str, dict[str, Any]] = {
    "openai": {"logprobs": True},
    "anthropic": {},
    "google": {"generationConfig": {"responseLogprobs": True}},
}


def openai(*logprobs: float) -> dict[str, Any]:
    """A choice's tokens."""
    return {"content": [{"token": "x", "logprob": one, "bytes": None, "top_logprobs": []} for one in logprobs]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_a_rated_request_asks_for_them_and_for_nothing_else(protocol: str) -> None:
    def body(request: ModelRequest) -> dict[str, Any]:
        return wire_protocol(protocol).encode("https://x", "m", request, stream=False).body

    assert body(RATED) == {**body(HELLO), **ASKED[protocol]}


@pytest.mark.parametrize(("request_", "can"), [(RATED, True), (RATED, False), (HELLO, True)])
async def test_only_a_model_that_can_is_asked(
    models: ModelClient, wire: Wire, request_: ModelRequest, can: bool
) -> None:
    wire.answers(shape("openai", "text.json"))
    model = Model(id="m", provider="openai", name="m", logprobs=can)
    await models.complete(model, request_, timeout=5, idempotency_key="run/1")
    assert ("logprobs" in wire.sent[0].body) == (can and request_.rated)


@pytest.mark.parametrize(
    ("logprobs", "confidence"),
    [
        (openai(math.log(0.8), math.log(0.8)), 0.8),
        (openai(math.log(0.25), 0.0), 0.5),
        (openai(-9999.0), 0),
        (openai(), None),
        ({"content": None, "refusal": None}, None),
        (None, None),
    ],
)
async def test_openai_tells_of_each_token(
    models: ModelClient, wire: Wire, logprobs: dict[str, Any] | None, confidence: float | None
) -> None:
    body = json.loads(shape("openai", "text.json"))
    body["choices"][0]["logprobs"] = logprobs
    wire.answers(json.dumps(body))
    assert (await ask(models, "openai")).confidence == confidence


@pytest.mark.parametrize(("logprob", "confidence"), [(math.log(0.8), 0.8), (0.0, 1), (-9999.0, 0), (None, None)])
async def test_gemini_tells_the_mean(
    models: ModelClient, wire: Wire, logprob: float | None, confidence: float | None
) -> None:
    body = json.loads(shape("google", "text.json"))
    if logprob is not None:
        body["candidates"][0]["avgLogprobs"] = logprob
    wire.answers(json.dumps(body))
    assert (await ask(models, "google")).confidence == confidence


@pytest.fixture
async def simulated(simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    client = ModelClient(CATALOG, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield client
    await client.aclose()


@pytest.mark.parametrize(("name", "confidence"), [("sim-mid", 0.8), ("sim-mini", 0.8), ("sim-premium", None)])
async def test_a_stream_tells_what_a_whole_answer_does(
    simulated: ModelClient, simulator: Control, name: str, confidence: float | None
) -> None:
    await simulator.behave(name, confidence=0.8, text="one two three four five")
    model = CATALOG.models[name].model_copy(update={"logprobs": True})
    whole = await simulated.complete(model, RATED, timeout=5, idempotency_key="run/1")
    *_, last = [item async for item in simulated.stream(model, RATED, timeout=5, idempotency_key="run/1")]
    assert isinstance(last, ModelResponse)
    assert (whole.confidence, last.confidence) == (confidence, confidence)
