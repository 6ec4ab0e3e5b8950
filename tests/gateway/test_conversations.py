"""Conversations, as OpenAI's own SDKs keep them."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import openai
import pytest
from temporalio.client import Client

from continuo.protection.masking import LONG, Masker
from continuo.starters.gateway.kept import content
from continuo.starters.gateway.state import Gateway
from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key

MODEL = "sim-mid"


def turn(text: str) -> Any:
    return {"type": "message", "role": "user", "content": text}


async def texts(client: openai.AsyncOpenAI, id: str) -> list[str]:
    listed = client.conversations.items.list(id, order="asc", limit=3)
    return [item.content[0].text async for item in listed]  # type: ignore[index,union-attr]


async def test_a_conversation_is_made_changed_and_deleted(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        talk = await client.conversations.create(metadata={"topic": "orders"}, items=[turn("Hello.")])
        assert talk == await client.conversations.retrieve(talk.id)
        changed = await client.conversations.update(talk.id, metadata={"topic": "other"})
        assert changed.metadata == (await client.conversations.retrieve(talk.id)).metadata == {"topic": "other"}
        assert (await client.conversations.delete(talk.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.conversations.retrieve(talk.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.create(model=MODEL, input="Where?", conversation=talk.id)


async def test_items_are_added_found_and_deleted_at_most_twenty_at_once(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        talk = await client.conversations.create()
        added = await client.conversations.items.create(talk.id, items=[turn(f"{number}") for number in range(20)])
        assert len(added.data) == 20
        second = added.data[1]
        assert second == await client.conversations.items.retrieve(str(second.id), conversation_id=talk.id)
        await client.conversations.items.delete(str(second.id), conversation_id=talk.id)
        with pytest.raises(openai.NotFoundError):
            await client.conversations.items.retrieve(str(second.id), conversation_id=talk.id)
        assert await texts(client, talk.id) == [f"{number}" for number in range(20) if number != 1]
        for wrong in ([turn("x")] * 21, []):
            with pytest.raises(openai.BadRequestError, match="items"):
                await client.conversations.items.create(talk.id, items=wrong)


async def test_a_response_goes_on_in_its_conversation_and_is_added_to_it_once(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text="On its way.")
    async with gateway.openai() as client:
        talk = await client.conversations.create(items=[turn("Hello.")])
        ask: Any = {"model": MODEL, "input": "Where?", "conversation": talk.id}
        keyed = {"Idempotency-Key": f"once-{talk.id}"}
        first, second = await asyncio.gather(*(client.responses.create(**ask, extra_headers=keyed) for _ in range(2)))
        third = await client.responses.create(**ask, extra_headers=keyed)
        assert first.id == second.id == third.id
        assert first.conversation is not None
        assert first.conversation.id == talk.id
        assert await texts(client, talk.id) == ["Hello.", "Where?", "On its way."]
        stream = await client.responses.create(
            model=MODEL, input="When?", conversation={"id": talk.id}, instructions="Be brief.", stream=True
        )
        assert [event.type async for event in stream][-1] == "response.completed"
        assert (await texts(client, talk.id))[3:] == ["When?", "On its way."]
        with pytest.raises(openai.BadRequestError, match="belongs to a conversation"):
            await client.responses.create(model=MODEL, input="And?", previous_response_id=first.id)
    calls = await simulator.calls(MODEL)
    told = [[turn["content"] for turn in call["body"]["messages"]] for call in calls]
    assert told == [["Hello.", "Where?"], ["Be brief.", "Hello.", "Where?", "On its way.", "When?"]]


async def test_another_tenants_conversation_is_like_one_that_is_not_there(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        talk = await client.conversations.create(items=[turn("Secret.")])
        item = (await client.conversations.items.list(talk.id)).data[0]
    async with gateway.http(await new_key(tenant="globex")) as other:
        for id in (talk.id, "conv_" + "0" * 32, "a%00b"):
            path = f"/v1/conversations/{id}"
            answers = [
                await other.get(path),
                await other.post(path, json={"metadata": {}}),
                await other.delete(path),
                await other.get(f"{path}/items"),
                await other.post(f"{path}/items", json={"items": [turn("x")]}),
                await other.get(f"{path}/items/{item.id}"),
                await other.delete(f"{path}/items/{item.id}"),
            ]
            assert [answer.status_code for answer in answers] == [404] * 7
            body = {"model": MODEL, "input": "Where?", "conversation": talk.id}
            assert (await other.post("/v1/responses", json=body)).status_code == 404


async def test_an_item_that_no_run_would_take_is_not_kept_either(gateway: GatewayProcess) -> None:
    large = turn("x" * 2_000_001)
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match=r"items\.0"):
            await client.conversations.create(items=[large])
        with pytest.raises(openai.BadRequestError, match=r"input\.0"):
            await client.responses.create(model=MODEL, input=[large])


async def test_a_conversation_holds_no_more_than_a_request_may_have_before_it(gateway: GatewayProcess) -> None:
    items = [turn("x" * 1_200_000)] * 15
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="bytes of text") as refused:
            await client.conversations.create(items=items)
        talk = await client.conversations.create(items=items[:10])
        with pytest.raises(openai.BadRequestError, match=r"items: .* bytes of text"):
            await client.conversations.items.create(talk.id, items=items[:5])
        assert len((await client.conversations.items.list(talk.id, limit=1)).data) == 1
        adding = [client.conversations.items.create(talk.id, items=items[:2]) for _ in range(2)]
        added = await asyncio.gather(*adding, return_exceptions=True)
        assert sorted(type(one).__name__ for one in added) == ["BadRequestError", "ConversationItemList"]
        with pytest.raises(openai.BadRequestError, match=r"conversation: .* bytes of text"):
            await client.responses.create(model=MODEL, input=items[:2], conversation=talk.id)
    assert (refused.value.param, refused.value.code) == ("items", "too_large")


async def test_two_responses_at_once_are_added_to_their_conversation_one_behind_the_other(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text="Here.", latency=0.3)
    async with gateway.openai() as client:
        talk = await client.conversations.create()
        asking = [client.responses.create(model=MODEL, input=text, conversation=talk.id) for text in ("one", "two")]
        assert {made.status for made in await asyncio.gather(*asking)} == {"completed"}
        said = await texts(client, talk.id)
    assert said in (["one", "Here.", "two", "Here."], ["two", "Here.", "one", "Here."])


def test_a_key_of_a_provider_is_masked_in_what_is_kept() -> None:
    gateway = cast(Gateway, SimpleNamespace(masker=Masker(["sk-0123456789abcdef"], LONG)))
    [item] = content(gateway, [{"id": "msg_1", "content": [{"text": "It is sk-0123456789abcdef."}]}]).items
    assert json.loads(item.content)["content"] == [{"text": "It is ***."}]


async def test_the_sdk_that_blocks_keeps_conversations_too(gateway: GatewayProcess) -> None:
    # The pool is in this process.
    await asyncio.to_thread(blocking, gateway)


def blocking(gateway: GatewayProcess) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.secret) as client:
        talk = client.conversations.create(items=[turn("Hello.")])
        made = client.responses.create(model=MODEL, input="Where?", conversation=talk.id)
        assert client.responses.retrieve(made.id).output_text == made.output_text
        assert len([*client.conversations.items.list(talk.id, limit=1)]) == 3
        assert client.conversations.delete(talk.id).deleted


async def test_in_a_conversation_an_answer_that_is_known_is_a_run_that_a_repeated_request_finds(
    gateway: GatewayProcess, client: Client
) -> None:
    asked: Any = {"model": "cost-optimised", "input": f"What is {uuid4()}?"}
    async with gateway.openai() as sdk, gateway.http() as http:
        await sdk.responses.create(**asked)
        conversation = await sdk.conversations.create()
        answer = await http.post("/v1/responses", json={**asked, "conversation": conversation.id})
    assert answer.headers["x-continuo-cache"] == "hit"
    await client.get_workflow_handle(answer.headers["x-continuo-run-id"]).describe()
