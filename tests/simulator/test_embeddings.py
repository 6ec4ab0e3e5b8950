"""Embeddings in OpenAI's shape and in Google's; the rest is as it is for every other answer."""

from typing import Any

import httpx
import pytest

from continuo.testing.processes import Control
from tests.simulator.conftest import Json

pytestmark = pytest.mark.parametrize("protocol", ["openai", "google"])
TEXT = "Where is my order?"


async def ask(http: httpx.AsyncClient, protocol: str, text: Any = TEXT) -> httpx.Response:
    if protocol == "openai":
        return await http.post("/v1/embeddings", json={"model": "m", "input": text, "encoding_format": "float"})
    texts = text if isinstance(text, list) else [text]
    body = {"requests": [{"model": "models/m", "content": {"parts": [{"text": one}]}} for one in texts]}
    return await http.post("/v1beta/models/m:batchEmbedContents", json=body)


def vector(protocol: str, answer: Json) -> list[float]:
    found: list[float] = answer["data"][0]["embedding"] if protocol == "openai" else answer["embeddings"][0]["values"]
    return found


async def test_a_scripted_vector_has_the_provider_s_own_shape(
    http: httpx.AsyncClient, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", embeddings={TEXT: [0.5, -1.0]}, tokens={"input": 7, "output": 0})
    response = await ask(http, protocol)
    assert response.headers["x-continuo-simulated"] == "true"
    assert (
        response.json()
        == {
            "openai": {
                "object": "list",
                "model": "m",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}],
                "usage": {"prompt_tokens": 7, "total_tokens": 7},
            },
            "google": {"embeddings": [{"values": [0.5, -1.0]}]},
        }[protocol]
    )


async def test_any_other_text_has_a_vector_of_its_own_that_never_changes(
    http: httpx.AsyncClient, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", embeddings={TEXT: [0.5, -1.0]})
    found = [vector(protocol, (await ask(http, protocol, text)).json()) for text in ("a", "b", "a")]
    assert found[0] == found[2] != found[1]
    assert len(found[0]) == len(found[1]) == 64


async def test_a_scripted_error_is_the_protocol_s_own(
    http: httpx.AsyncClient, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", status=429, outage=1, retry_after=2)
    first, second = await ask(http, protocol), await ask(http, protocol)
    assert (first.status_code, first.headers["retry-after"], second.status_code) == (429, "2", 200)
    assert first.json()["error"]["message"] == "scripted by the simulator"


async def test_a_request_is_noted_as_every_other(http: httpx.AsyncClient, simulator: Control, protocol: str) -> None:
    await ask(http, protocol)
    [call] = await simulator.calls("m")
    assert (call["protocol"], call["stream"], call["status"], call["answered"]) == (protocol, False, 200, True)
    assert TEXT in str(call["body"])


async def test_what_is_no_text_is_refused(http: httpx.AsyncClient, simulator: Control, protocol: str) -> None:
    response = await ask(http, protocol, None)
    assert response.status_code == 400
    assert "no request of this protocol" in response.json()["error"]["message"]


async def test_several_texts_have_their_vectors_in_their_order(
    http: httpx.AsyncClient, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", embeddings={"a": [1.0], "b": [2.0]})
    answer = (await ask(http, protocol, ["b", "a"])).json()
    found = [one["embedding"] for one in answer["data"]] if protocol == "openai" else answer["embeddings"]
    assert [one if protocol == "openai" else one["values"] for one in found] == [[2.0], [1.0]]


async def test_texts_are_counted_and_one_that_is_refused_spoils_its_request(
    http: httpx.AsyncClient, simulator: Control, protocol: str
) -> None:
    await simulator.behave("m", refuses_text="b")
    responses = [await ask(http, protocol, texts) for texts in (["a", "b", "c"], ["a", "c"])]
    assert [response.status_code for response in responses] == [400, 200]
    assert (await simulator.get("/_sim/calls"))["inputs"] == {"m": 5}
