"""What a rule decides, to callers of the gateway: an answer of its own accord, or an error of its own."""

import json
from typing import Any

import anthropic
import openai
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.testing.processes import Control
from tests.gateway.test_jobs import becomes, created
from tests.support.gateway import GatewayProcess, new_key

OPEN = "We are open from 9 to 17."
HOURS: list[Any] = [{"role": "user", "content": "Your opening hours?"}]
SECRET: list[Any] = [{"role": "user", "content": "A secret, please"}]


@pytest.fixture
async def key() -> str:
    return await new_key("ruled")


async def test_an_answer_is_given_and_streamed_without_a_workflow_in_each_dialect(
    gateway: GatewayProcess, simulator: Control, client: Client, key: str
) -> None:
    async with gateway.openai(key) as one, gateway.anthropic(key) as other:
        raw = await one.chat.completions.with_raw_response.create(model="sim-mini", messages=HOURS)
        assert raw.parse().choices[0].message.content == OPEN
        assert (raw.headers["x-continuo-cost-usd"], raw.headers["x-continuo-pattern"]) == ("0.0", "model:sim-mini")
        with pytest.raises(RPCError, match="not found"):
            await client.get_workflow_handle(raw.headers["x-continuo-run-id"]).describe()
        stream = await one.chat.completions.create(model="support", messages=HOURS, stream=True)
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == OPEN
        response = await one.responses.create(model="sim-mini", input="opening hours")
        assert response.output_text == OPEN
        several = await one.chat.completions.create(model="sim-mini", messages=HOURS, n=2)
        assert [choice.message.content for choice in several.choices] == [OPEN, OPEN]
        async with other.messages.stream(model="sim-mini", messages=HOURS, max_tokens=9) as messages:
            assert await messages.get_final_text() == OPEN
    assert await simulator.calls() == []


async def test_a_refusal_is_a_bad_request_with_a_code_of_its_own(
    gateway: GatewayProcess, simulator: Control, key: str
) -> None:
    async with gateway.openai(key, max_retries=0) as one, gateway.anthropic(key, max_retries=0) as other:
        with pytest.raises(openai.BadRequestError) as refusal:
            await one.chat.completions.create(model="sim-mini", messages=SECRET, stream=True)
        assert (refusal.value.code, refusal.value.body) == (
            "refused_by_rule",
            {
                "message": "We do not talk about that.",
                "type": "invalid_request_error",
                "param": None,
                "code": "refused_by_rule",
            },
        )
        with pytest.raises(anthropic.BadRequestError, match="We do not talk about that"):
            await other.messages.create(model="sim-mini", messages=SECRET, max_tokens=9)
    async with gateway.http(key) as http:
        assert (await http.post("/v1/jobs", json={"model": "sim-mini", "input": "a secret"})).status_code == 400
    assert await simulator.calls() == []


async def test_what_is_asked_for_again_by_an_id_is_kept(
    gateway: GatewayProcess, simulator: Control, client: Client, key: str
) -> None:
    async with gateway.http(key) as http:
        done = await becomes(http, await created(http, input="opening hours"), "completed")
        assert (done["result"]["text"], done["continuo"]["served_by"]) == (OPEN, "rule")
        body = {"model": "sim-mini", "messages": HOURS}
        headers = {"idempotency-key": f"rules-{key[-12:]}"}
        first, again = [await http.post("/v1/chat/completions", json=body, headers=headers) for _ in range(2)]
    assert json.loads(first.content)["choices"][0]["message"]["content"] == OPEN
    assert first.headers["x-continuo-run-id"] == again.headers["x-continuo-run-id"]
    assert await simulator.calls() == []


async def test_a_request_runs_as_another_pattern(gateway: GatewayProcess, simulator: Control, key: str) -> None:
    async with gateway.http(key) as http:
        body = {"model": "support", "messages": [{"role": "user", "content": "I want to complain about my order!"}]}
        answer = (await http.post("/v1/chat/completions", json=body)).json()
    assert (answer["continuo"]["served_by"], len(await simulator.calls("sim-mini"))) == ("model", 1)
