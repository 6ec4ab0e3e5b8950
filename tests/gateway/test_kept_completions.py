"""Completions that are kept, as OpenAI's own SDK finds them."""

from typing import Any

import openai
import pytest

from continuo.testing.processes import Control, until
from tests.support.gateway import GatewayProcess, new_key

MODEL = "sim-mid"


def ask(text: str = "Where is my order?", **fields: Any) -> Any:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "store": True, **fields}


async def test_a_completion_is_kept_where_that_is_asked_for_until_it_is_deleted(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text="On its way.")
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    more = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    async with gateway.openai() as client:
        made = await client.chat.completions.create(**{**ask(metadata={"a": "b"}), "messages": more})
        assert made == await client.chat.completions.retrieve(made.id)
        changed = await client.chat.completions.update(made.id, metadata={"c": "d"})
        assert (changed.choices[0].message.content, changed.metadata) == ("On its way.", {"c": "d"})
        assert changed == await client.chat.completions.retrieve(made.id)
        said = [message async for message in client.chat.completions.messages.list(made.id, limit=1)]
        assert [message.content for message in said] == ["Be brief.", "one\n\ntwo"]
        assert (said[0].content_parts, len(said[1].content_parts or ())) == (None, 2)
        assert (await client.chat.completions.delete(made.id)).deleted
        plain = await client.chat.completions.create(**ask(store=False))
        for id in (made.id, plain.id, "none"):
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.retrieve(id)


async def test_completions_are_listed_by_model_metadata_and_time_of_one_tenant(gateway: GatewayProcess) -> None:
    tenant = "umbrella"
    async with gateway.openai(await new_key(tenant=tenant)) as client:
        ids = []
        for number in range(4):
            made = await client.chat.completions.create(**ask(metadata={"even": f"{number % 2 == 0}"}))
            ids.append(made.id)
        async with gateway.http() as other:
            for id in ids[:1]:
                paths = ("", "/messages")
                assert [(await other.get(f"/v1/chat/completions/{id}{path}")).status_code for path in paths] == [
                    404
                ] * 2
                assert (await other.delete(f"/v1/chat/completions/{id}")).status_code == 404
                assert (await other.post(f"/v1/chat/completions/{id}", json={"metadata": {}})).status_code == 404
            assert ids[0] not in (await other.get("/v1/chat/completions?limit=100")).text
            assert (await other.get("/v1/chat/completions?after=" + ids[0])).status_code == 404
            for wrong in ("limit=0", "order=up", "model=%00"):
                assert (await other.get(f"/v1/chat/completions?{wrong}")).status_code == 400

        async def listed(**wanted: Any) -> list[str]:
            return [made.id async for made in client.chat.completions.list(limit=2, **wanted)]

        assert await listed() == await listed(model=MODEL) == ids
        assert await listed(order="desc") == ids[::-1]
        assert await listed(metadata={"even": "True"}) == [ids[0], ids[2]]
        assert await listed(after=ids[2]) == [ids[3]]
        assert await listed(model="other") == []


async def test_a_streamed_completion_is_kept_and_one_that_failed_is_not(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text="On its way.")
    async with gateway.openai(await new_key(tenant="initech"), max_retries=0) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**ask(stream=True))]
        made = await client.chat.completions.retrieve(chunks[0].id)
        assert made.choices[0].message.content == "On its way."
        await simulator.behave(MODEL, status=400)
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(**ask())

        async def one() -> bool:
            return [kept.id async for kept in client.chat.completions.list()] == [made.id]

        await until(one)
