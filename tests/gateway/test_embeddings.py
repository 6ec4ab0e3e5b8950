"""Embeddings, as OpenAI's own SDK asks for them."""

import asyncio
from array import array
from base64 import b64decode
from functools import partial
from typing import Any

import openai
import pytest

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key

VECTORS = {"a": [0.5, -1.0, 0.1], "b": [2.0, 0.25, 4.0]}
PATH = "/v1/embeddings"


@pytest.mark.parametrize("model", ["sim-embed", "sim-google-embed"])
async def test_many_texts_are_one_call_and_keep_their_order(
    gateway: GatewayProcess, simulator: Control, model: str
) -> None:
    await simulator.behave(model, embeddings=VECTORS, tokens={"input": 7, "output": 0})
    async with gateway.openai() as client:
        packed = await client.embeddings.create(model=model, input=["b", "a"])
        plain = await client.embeddings.create(model=model, input=["b", "a"], encoding_format="float")
    for found in (packed, plain):
        assert [one.index for one in found.data] == [0, 1]
        assert [one.embedding for one in found.data] == [pytest.approx(VECTORS["b"]), pytest.approx(VECTORS["a"])]
        assert (found.object, found.model) == ("list", model)
    assert len(await simulator.calls(model)) == 2
    if model == "sim-embed":
        assert (packed.usage.prompt_tokens, packed.usage.total_tokens) == (7, 7)
        ours: dict[str, Any] = (packed.model_extra or {})["continuo"]
        assert (ours["pattern"], ours["cost_usd"]) == ("model:sim-embed", pytest.approx(7e-7))


async def test_vectors_are_as_the_provider_gave_them_in_both_forms(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-embed", embeddings=VECTORS)
    async with gateway.http() as http:
        bodies = [{"model": "sim-embed", "input": "a", "encoding_format": form} for form in ("base64", "float")]
        packed, plain = [(await http.post(PATH, json=body)).json()["data"][0]["embedding"] for body in bodies]
    assert list(array("f", b64decode(packed))) == list(array("f", VECTORS["a"]))
    assert plain == VECTORS["a"]


async def test_the_sdk_without_a_loop_is_given_the_same(gateway: GatewayProcess) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.secret) as client:
        asking = partial(client.embeddings.create, model="embed", input="Hello")
        one, again = [await asyncio.to_thread(asking) for _ in range(2)]
    assert one.data[0].embedding == again.data[0].embedding
    assert len(one.data[0].embedding) == 64


async def test_tokens_reach_a_provider_of_the_same_protocol_as_they_are(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-embed", embeddings={"9906 11": VECTORS["a"], "1917": VECTORS["b"]})
    async with gateway.openai() as client:
        several = await client.embeddings.create(model="sim-embed", input=[[9906, 11], [1917]])
        one = await client.embeddings.create(model="sim-embed", input=[1917])
    assert [found.embedding for found in several.data] == [pytest.approx(VECTORS["a"]), pytest.approx(VECTORS["b"])]
    assert [found.embedding for found in one.data] == [pytest.approx(VECTORS["b"])]
    assert [call["body"]["input"] for call in await simulator.calls()] == [[[9906, 11], [1917]], [[1917]]]


@pytest.mark.parametrize("model", ["sim-embed", "sim-google-embed"])
async def test_dimensions_and_the_user_reach_the_provider(
    gateway: GatewayProcess, simulator: Control, model: str
) -> None:
    async with gateway.openai() as client:
        found = await client.embeddings.create(model=model, input="Hello", dimensions=16, user="ada")
    assert len(found.data[0].embedding) == 16
    [call] = await simulator.calls(model)
    assert ("'ada'" in str(call["body"])) == (model == "sim-embed")


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({"input": ""}, "input", "the text is empty"),
        ({"input": ["a", " "]}, "input.1", "the text is empty"),
        ({"input": []}, "input", "there are 0 texts; send 1 to 2,048"),
        ({"input": ["a"] * 2049}, "input", "there are 2,049 texts"),
        ({"input": [1, -2]}, "input", "a token is a number from 0 to"),
        ({"input": [[1], []]}, "input.1", "the text is empty"),
        ({"input": [[1], [2]], "model": "sim-google-embed"}, None, "takes no tokens"),
        ({"input": "a", "dimensions": 0}, "dimensions", "greater than or equal to 1"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "known: 'float' or 'base64'"),
        ({"input": "a", "store": True}, "store", "not taken here"),
        ({"input": "a", "user": "x" * 300}, "user", "at most 256 characters"),
        ({"input": "a", "model": "support"}, "model", "is a pattern"),
        ({"input": "a", "model": "sim-mini"}, None, "'sim-mini' does not embed"),
        ({"input": "a", "model": "sim-fixed-embed", "dimensions": 8}, None, "takes no dimensions"),
        ({"input": ["a"] * 101, "model": "sim-google-embed"}, None, "embeds at most 100 texts at once"),
        ({"input": "x" * 1_000_001}, None, "1,000,001 bytes"),
        ({"input": ["x" * 999_999] * 3}, None, "more than 2,000,000; shorten"),
    ],
)
async def test_what_cannot_be_embedded_is_refused_before_anything_runs(
    gateway: GatewayProcess, simulator: Control, body: dict[str, Any], param: str | None, says: str
) -> None:
    async with gateway.http() as http:
        answer = await http.post(PATH, json={"model": "sim-embed", **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], answer.headers["x-should-retry"]) == (400, param, "false")
    assert says in error["message"]
    assert await simulator.calls() == []


async def test_a_model_that_embeds_says_so_when_it_is_to_speak(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="'sim-embed' answers with embeddings"):
            await client.chat.completions.create(model="sim-embed", messages=[{"role": "user", "content": "Hello"}])
    assert await simulator.calls() == []


async def test_a_provider_that_fails_is_a_typed_error(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-embed", status=401)
    async with gateway.openai(max_retries=0) as client:
        with pytest.raises(openai.InternalServerError):
            await client.embeddings.create(model="sim-embed", input="Hello")


async def test_a_key_without_money_gets_no_embedding(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.openai(await new_key(daily_usd=0.0)) as client:
        with pytest.raises(openai.RateLimitError) as refused:
            await client.embeddings.create(model="sim-embed", input="Hello")
    assert refused.value.code == "insufficient_quota"
    assert await simulator.calls() == []


async def test_clients_of_two_tenants_share_a_call_and_each_gets_its_own_answer_and_pays_its_own_share(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-batched-embed", embeddings=VECTORS, tokens={"input": 1001, "output": 0})
    async with gateway.openai() as ours, gateway.openai(await new_key("other")) as theirs:
        asked = [(ours, "a")] * 10 + [(theirs, "b")] * 10
        found = await asyncio.gather(
            *(client.embeddings.create(model="sim-batched-embed", input=text) for client, text in asked)
        )
    assert [one.data[0].embedding for one in found] == [pytest.approx(VECTORS[text]) for _, text in asked]
    [call] = await simulator.calls()
    assert call["inputs"] == 20
    assert sum(one.usage.prompt_tokens for one in found) == 1001
    cost = sum(one.model_extra["continuo"]["cost_usd"] for one in found if one.model_extra)
    assert cost == pytest.approx(1001 * 0.123e-6, abs=1e-12)


async def test_two_thousand_long_vectors_come_whole(gateway: GatewayProcess, simulator: Control) -> None:
    texts = [f"text {number}" for number in range(2048)]
    vectors = {text: [float(number)] * 512 for number, text in enumerate(texts)}
    await simulator.behave("sim-embed", embeddings=vectors)
    async with gateway.openai() as client:
        found = await client.embeddings.create(model="sim-embed", input=texts)
    assert [(one.embedding[0], len(one.embedding)) for one in found.data] == [(number, 512) for number in range(2048)]
    assert len(await simulator.calls()) == 1
