"""Responses that are kept: found, gone on from, streamed again, cancelled and deleted by their tenant alone."""

import asyncio
from base64 import b64encode
from typing import Any

import openai
import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.stores.database import Row
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, kill, until
from tests.support.gateway import GatewayProcess, new_key
from tests.support.media import png

MODEL = "sim-mid"
LONG = "It is on its way, and with you by tomorrow, as the carrier says."
PNG = f"data:image/png;base64,{b64encode(png(30, 30)).decode()}"


async def test_a_response_is_kept_until_it_is_deleted(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave(MODEL, text="On its way.", tokens={"input": 12, "output": 5})
    async with gateway.openai() as client:
        made = await client.responses.create(model=MODEL, input="Where is my order?", metadata={"a": "b"})
        assert made == await client.responses.retrieve(made.id)
        assert (made.output_text, (made.model_extra or {})["store"]) == ("On its way.", True)
        items = await client.responses.input_items.list(made.id)
        assert [item.content[0].text for item in items.data] == ["Where is my order?"]  # type: ignore[index,union-attr]
        await client.responses.delete(made.id)
        for gone in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
            with pytest.raises(openai.NotFoundError):
                await gone(made.id)


async def test_another_tenants_response_is_like_one_that_is_not_there(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        made = await client.responses.create(model=MODEL, input="Where?")
    missing = "resp_" + "0" * 32
    async with gateway.http(await new_key(tenant="globex")) as other:
        for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]:
            answers = [await other.request(method, f"/v1/responses/{id}{path}") for id in (made.id, missing)]
            assert [answer.status_code for answer in answers] == [404, 404]
            told = [answer.text.replace(id, "ID") for answer, id in zip(answers, (made.id, missing), strict=True)]
            assert told[0] == told[1]
        body = {"model": MODEL, "input": "And?", "previous_response_id": made.id}
        assert (await other.post("/v1/responses", json=body)).status_code == 404
        assert (await other.get("/v1/responses/%00")).status_code == 404
    async with gateway.http() as http:
        assert (await http.get(f"/v1/responses/{made.id}")).status_code == 200


async def test_a_response_goes_on_from_earlier_ones_without_their_instructions(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text="Blue.")
    picture = {"type": "input_image", "image_url": PNG}
    async with gateway.openai() as client:
        first = await client.responses.create(
            model=MODEL,
            instructions="Be brief.",
            input=[{"role": "user", "content": [{"type": "input_text", "text": "Colour?"}, picture]}],  # type: ignore[list-item,misc]
        )
        second = await client.responses.create(model=MODEL, input="Sure?", previous_response_id=first.id)
        third = await client.responses.create(model=MODEL, input="Why?", previous_response_id=second.id, store=False)
        assert third.previous_response_id == second.id
        counted = await client.responses.input_tokens.count(model=MODEL, input="Why?", previous_response_id=second.id)
        assert (
            counted.input_tokens > (await client.responses.input_tokens.count(model=MODEL, input="Why?")).input_tokens
        )
        items = await client.responses.input_items.list(second.id)
        assert len(items.data) == 1
        (shown,) = (await client.responses.input_items.list(first.id)).data
        assert shown.content[1].image_url == PNG  # type: ignore[index,union-attr]
        with pytest.raises(openai.NotFoundError, match="previous_response_id"):
            await client.responses.create(model=MODEL, input="Why?", previous_response_id=third.id)
        await client.responses.delete(first.id)
        with pytest.raises(openai.BadRequestError, match="deleted"):
            await client.responses.create(model=MODEL, input="Why?", previous_response_id=second.id)
    last = (await simulator.calls(MODEL))[-1]["body"]["messages"]
    assert [turn["role"] for turn in last] == ["user", "assistant", "user", "assistant", "user"]
    assert (last[1]["content"], last[-1]["content"]) == ("Blue.", "Why?")
    assert any(part["type"] == "image_url" and part["image_url"]["url"] == PNG for part in last[0]["content"])


async def test_items_are_paged_in_either_order(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        turns: Any = [{"role": "user", "content": f"{number}"} for number in range(5)]
        made = await client.responses.create(model=MODEL, input=turns)
        listed = [
            [item.content[0].text async for item in client.responses.input_items.list(made.id, limit=2, order=order)]  # type: ignore[index,union-attr]
            for order in ("asc", "desc")
        ]
        assert listed == [["0", "1", "2", "3", "4"], ["4", "3", "2", "1", "0"]]
    async with gateway.http() as http:
        for wrong in ("limit=0", "limit=x", "order=up", "after=none"):
            answer = await http.get(f"/v1/responses/{made.id}/input_items?{wrong}")
            assert (answer.status_code, answer.json()["error"]["param"]) in [(400, wrong[:5]), (404, "after")]


async def test_a_streamed_response_is_kept_and_its_events_are_told_again_behind_any_of_them(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, text=LONG)
    async with gateway.openai() as client:
        stream = await client.responses.create(model=MODEL, input="Where?", stream=True)
        events = [event async for event in stream]
        id = events[0].response.id  # type: ignore[union-attr]
        assert (await client.responses.retrieve(id)).output_text == LONG
        for after in (None, 0, 3, len(events) - 1):
            options: Any = {} if after is None else {"starting_after": after}
            again = [event async for event in await client.responses.retrieve(id, stream=True, **options)]
            assert [(event.type, event.sequence_number) for event in again] == [
                (event.type, event.sequence_number) for event in events[0 if after is None else after + 1 :]
            ]
    assert len(await simulator.calls(MODEL)) == 1


async def test_a_response_in_the_background_is_seen_on_its_way_and_cancelled(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, latency=60)
    async with gateway.openai(await new_key(concurrency=1)) as client:
        made = await client.responses.create(model=MODEL, input="Where?", background=True)
        assert (made.status, made.output, made.background) == ("queued", [], True)
        await until(lambda: simulator.calls(MODEL))
        assert (await client.responses.retrieve(made.id)).status == "in_progress"
        with pytest.raises(openai.BadRequestError, match="in_progress"):
            await client.responses.create(
                model=MODEL, input="And?", previous_response_id=made.id, extra_headers={"x-stainless-retry-count": "0"}
            )
        assert (await client.responses.cancel(made.id)).status == "cancelled"
        assert (await client.responses.cancel(made.id)).status == "cancelled"
        await simulator.behave(MODEL, latency=0)

        async def admitted() -> bool:
            try:
                plain = await client.responses.create(model=MODEL, input="Now?")
            except openai.RateLimitError:
                return False
            with pytest.raises(openai.BadRequestError, match="background"):
                await client.responses.cancel(plain.id)
            return True

        await until(admitted, timeout=5, every=0.2)


async def test_a_response_that_is_deleted_on_its_way_runs_no_longer(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave(MODEL, latency=60)
    async with gateway.openai() as client:
        made = await client.responses.create(model=MODEL, input="Where?", background=True)
        await until(lambda: simulator.calls(MODEL))
        await client.responses.delete(made.id)

    async def disconnected() -> bool:
        [call] = await simulator.calls(MODEL)
        return bool(call["disconnected"])

    await until(disconnected, timeout=5)


async def test_a_stream_of_what_still_runs_begins_with_its_end(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave(MODEL, latency=1, text="Late.")
    async with gateway.openai() as client:
        made = await client.responses.create(model=MODEL, input="Where?", background=True)
        stream = await client.responses.retrieve(made.id, stream=True, starting_after=1)
        events = [event async for event in stream]
        assert (events[0].sequence_number, events[-1].type) == (2, "response.completed")
        assert (await client.responses.retrieve(made.id)).output_text == "Late."


async def test_a_response_that_failed_says_why(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave(MODEL, status=400)
    async with gateway.openai() as client:
        made = await client.responses.create(model=MODEL, input="Where?", background=True)

        async def failed() -> bool:
            return (await client.responses.retrieve(made.id)).status == "failed"

        await until(failed)
        response = await client.responses.retrieve(made.id)
        assert response.error is not None
        assert "invalid_request" in response.error.message
        with pytest.raises(openai.APIError):
            [event async for event in await client.responses.retrieve(made.id, stream=True)]


async def test_compaction_is_refused_with_its_reason(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="encrypted"):
            await client.responses.compact(model=MODEL, input="Where?")


async def row(id: str) -> Row:
    """What is kept of the response."""
    store = open_store(Settings(), environment())
    try:
        [found] = await store.read("SELECT status, run FROM answers WHERE id = ?", (id,))
        return found
    finally:
        await store.aclose()


async def test_what_runs_in_the_background_is_answered_though_the_gateway_is_killed(
    gateway: GatewayProcess, client: Client, simulator: Control
) -> None:
    await simulator.behave(MODEL, latency=1, text="On its way.")
    await simulator.behave("sim-free", latency=1)
    await simulator.behave("sim-pro", latency=1)
    async with gateway.openai() as sdk:
        talk = await sdk.conversations.create()
        made = await sdk.responses.create(model=MODEL, input="Where?", background=True, conversation=talk.id)
        unseen = await sdk.responses.create(model="sim-free", input="Where?", background=True)
        await until(lambda: simulator.calls("sim-free"))
        other = await sdk.conversations.create()
        waiting = asyncio.ensure_future(sdk.responses.create(model="sim-pro", input="Where?", conversation=other.id))
        await until(lambda: simulator.calls("sim-pro"))
        await kill(gateway.child)
        assert [(await row(id))["status"] for id in (made.id, unseen.id)] == ["in_progress"] * 2
        await client.get_activity_handle((await row(unseen.id))["run"]).result()
        await gateway.child.start()

        async def swept() -> bool:
            return bool((await row(unseen.id))["status"] == "completed")

        await until(swept)

        async def completed() -> bool:
            return (await sdk.responses.retrieve(made.id)).status == "completed"

        await until(completed)
        assert (await sdk.responses.retrieve(made.id)).output_text == "On its way."
        assert (await waiting).status == "completed"
        for id in (talk.id, other.id):
            items = await sdk.conversations.items.list(id, order="asc")
            assert [item.role for item in items.data] == ["user", "assistant"]  # type: ignore[union-attr]
    assert len(await simulator.calls()) == 3
