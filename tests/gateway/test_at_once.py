"""An answer that is known already comes from the gateway itself, to each SDK."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key


def asking(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"model": "cost-optimised", "messages": [{"role": "user", "content": prompt}], **fields}


@pytest.fixture
def prompt() -> str:
    return f"What is {uuid4()}?"


async def test_an_answer_in_the_cache_is_told_whole_and_streamed_without_a_workflow(
    gateway: GatewayProcess, simulator: Control, client: Client, prompt: str
) -> None:
    async with gateway.openai() as openai:
        first = await openai.chat.completions.create(**asking(prompt))
        raw = await openai.chat.completions.with_raw_response.create(**asking(prompt))
        again = raw.parse()
        assert (again.choices[0].message.content, again.id != first.id) == (first.choices[0].message.content, True)
        assert (raw.headers["x-continuo-cache"], raw.headers["x-continuo-cost-usd"]) == ("hit", "0.0")
        with pytest.raises(RPCError, match="not found"):
            await client.get_workflow_handle(raw.headers["x-continuo-run-id"]).describe()
        stream = await openai.chat.completions.create(**asking(prompt, stream=True))
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == first.choices[0].message.content
    assert len(await simulator.calls()) == 1


async def test_with_an_idempotency_key_it_is_one_run_as_ever(
    gateway: GatewayProcess, simulator: Control, client: Client, prompt: str
) -> None:
    async with gateway.http() as http:
        await http.post("/v1/chat/completions", json=asking(prompt))
        keyed = {"idempotency-key": uuid4().hex}
        answers: list[httpx.Response] = [
            await http.post("/v1/chat/completions", json=asking(prompt), headers=keyed) for _ in range(2)
        ]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await client.get_workflow_handle(answers[0].headers["x-continuo-run-id"]).describe()


async def test_what_is_known_counts_towards_the_limits_of_its_key(gateway: GatewayProcess, prompt: str) -> None:
    async with gateway.http(await new_key(requests_per_minute=2)) as http:
        statuses = [(await http.post("/v1/chat/completions", json=asking(prompt))).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
