"""An answer is streamed while it comes, and whoever dies or leaves meanwhile takes none of it along."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import openai
import pytest

from continuo.config.catalog import Limits
from continuo.config.settings import Settings, environment
from continuo.stores.opened import open_store, opened_limits
from continuo.testing.processes import Control, until
from tests.gateway.test_retries import counted
from tests.support.gateway import GatewayProcess, new_key, served_gateway
from tests.support.stores import ledger
from tests.support.streams import ASKED, BODY, STORY, events, text_of

PATTERNS = {
    "two-tiers": """
        kind: fallback
        steps: [{kind: call, model: sim-mini}, {kind: call, model: sim-mid}]
        """,
    "tiers": """
        kind: cascade
        steps: [{kind: call, model: sim-mini}, {kind: call, model: sim-mid}]
        """,
    "goes-on": """
        kind: fallback
        steps:
          - {kind: call, model: sim-mini, on_break: continue, retry: {attempts: 6, initial: 10ms}}
          - {kind: call, model: sim-mid}
        """,
    "told-to-go-on": """
        kind: fallback
        steps:
          - {kind: call, model: sim-mid, on_break: continue, local: true, retry: {attempts: 9, initial: 10ms}}
        """,
    "goes-on-in-turn": """
        {kind: call, model: sim-narrow, on_break: continue, retry: {attempts: 2, initial: 500ms}}
        """,
    "goes-on-twice": """
        kind: fallback
        steps:
          - {kind: call, model: sim-mini, on_break: continue, retry: {attempts: 2, initial: 10ms}}
          - {kind: call, model: sim-mid, on_break: continue}
        """,
    "redacted": """
        kind: guard
        checks: {personal: [EMAIL], blocked: [word58]}
        on_failure: redact
        step:
          kind: pipeline
          steps:
            - {name: first, step: {kind: call, model: sim-mid}}
            - {name: last, step: {kind: call, model: sim-mini, isolate: true}}
        """,
    "rejected": """
        {kind: guard, checks: {personal: [EMAIL]}, step: {kind: call, model: sim-mini}}
        """,
    "checked-whole": """
        {kind: guard, checks: {length: {max: 1000}}, step: {kind: call, model: sim-mini}}
        """,
    "in-turn": """
        kind: pipeline
        steps:
          - {name: first, step: {kind: call, model: sim-mid}}
          - {name: last, step: {kind: call, model: sim-mini, isolate: true}}
        """,
}


@pytest.fixture(scope="module")
async def patterned(
    environ: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, worker: None
) -> AsyncIterator[GatewayProcess]:
    """A gateway with patterns of its own."""
    folder = tmp_path_factory.mktemp("patterned")
    for name, pattern in PATTERNS.items():
        (folder / f"{name}.yaml").write_text(f"description: {name}\npattern:{pattern}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTINUO_PATTERNS", str(folder))
        gateway = served_gateway(folder / "gateway.log")
        running = await gateway.__aenter__()
    yield running
    await gateway.__aexit__(None, None, None)


async def streamed(gateway: GatewayProcess, model: str) -> list[dict[str, Any]]:
    body = BODY | {"model": model}
    async with gateway.http() as http, http.stream("POST", "/v1/chat/completions", json=body) as response:
        return [chunk async for chunk in events(response)]


async def test_pieces_come_while_the_model_writes_in_chat(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.05)
    async with gateway.openai() as client:
        stream = await client.chat.completions.create(model="sim-mini", messages=ASKED, stream=True)
        parts = []
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                parts.append(chunk.choices[0].delta.content)
                if len(parts) == 1:
                    [call] = await simulator.calls("sim-mini")
                    assert not call["answered"]
    assert "".join(parts) == STORY
    assert len(parts) > 1
    assert len(await simulator.calls("sim-mini")) == 1


async def test_pieces_come_while_the_model_writes_in_messages(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.05)
    async with (
        gateway.anthropic() as client,
        client.messages.stream(model="sim-mini", messages=ASKED, max_tokens=500) as stream,
    ):
        parts = []
        async for text in stream.text_stream:
            parts.append(text)
            if len(parts) == 1:
                [call] = await simulator.calls("sim-mini")
                assert not call["answered"]
        message = await stream.get_final_message()
    assert "".join(parts) == STORY
    assert len(parts) > 1
    assert (message.stop_reason, message.content[0].type) == ("end_turn", "text")


async def test_pieces_come_while_the_model_writes_in_responses(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.05)
    async with gateway.openai() as client:
        parts, numbers, response = [], [], None
        async for event in await client.responses.create(model="sim-mini", input="Tell me.", stream=True, store=False):
            numbers.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                parts.append(event.delta)
                if len(parts) == 1:
                    [call] = await simulator.calls("sim-mini")
                    assert not call["answered"]
            if event.type == "response.completed":
                response = event.response
    assert "".join(parts) == STORY
    assert len(parts) > 1
    assert numbers == list(range(len(numbers)))
    assert response is not None
    assert response.output_text == STORY


async def test_probabilities_of_tokens_come_with_the_end_of_a_stream(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="Here it is.", confidence=0.9)
    asked: Any = {"model": "sim-mid", "messages": ASKED, "logprobs": True, "top_logprobs": 1}
    async with gateway.openai() as client:
        whole = (await client.chat.completions.create(**asked)).choices[0]
        async with client.chat.completions.stream(**asked) as stream:
            final = (await stream.get_final_completion()).choices[0]
        assert final.logprobs is not None
        assert whole.logprobs is not None
        assert final.logprobs.content == whole.logprobs.content
        assert final.message.content == whole.message.content
        old: Any = {"model": "sim-mid", "prompt": "Where?", "logprobs": 1, "max_tokens": 50}
        made = (await client.completions.create(**old)).choices[0]
        last = [chunk.choices[0] async for chunk in await client.completions.create(**old, stream=True)][-1]
        assert last.logprobs == made.logprobs is not None
        new: Any = {"model": "sim-mid", "input": "Where?", "include": ["message.output_text.logprobs"], "store": False}
        expected: Any = (await client.responses.create(**new)).to_dict()
        async with client.responses.stream(**new) as responding:
            final_response: Any = (await responding.get_final_response()).to_dict()
        parts = [response["output"][0]["content"][0] for response in (expected, final_response)]
        assert parts[0]["logprobs"] == parts[1]["logprobs"] != []


async def test_a_rating_is_not_seen_and_what_is_judged_first_comes_whole(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="Sure.\n\nIt is.", confidence=0.3)
    await simulator.behave("sim-mid", text="Quite.\n\nIt is.", confidence=0.9)
    chunks = await streamed(patterned, "tiers")
    assert text_of(chunks) == "Quite.\n\nIt is."


async def test_a_pipeline_streams_its_last_step_in_a_workflow_of_its_own_too(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="A draft.")
    await simulator.behave("sim-mini", text=STORY, pace=0.02)
    chunks = await streamed(patterned, "in-turn")
    assert text_of(chunks) == STORY
    assert len([chunk for chunk in chunks if text_of([chunk])]) > 1


async def test_an_answer_that_breaks_off_ends_in_an_error_and_no_other_follows(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.02, breaks_after=8)
    parts: list[str] = []

    async def read(client: openai.AsyncOpenAI) -> None:
        async for chunk in await client.chat.completions.create(model="two-tiers", messages=ASKED, stream=True):
            parts.extend(choice.delta.content or "" for choice in chunk.choices)

    async with patterned.openai() as client:
        with pytest.raises(openai.APIError, match="stream_broken"):
            await read(client)
    assert len(parts) > 1
    assert STORY.startswith("".join(parts))
    assert len(await simulator.calls()) == 1
    async with aclosing(open_store(Settings(), environment())) as store:
        booked = (await ledger(store))[-1]
    assert (booked["model"], booked["status"], booked["estimated"]) == ("sim-mini", "failed", 1)
    assert booked["output_tokens"] > 0


@pytest.mark.parametrize(("pattern", "model"), [("goes-on", "sim-mini"), ("told-to-go-on", "sim-mid")])
async def test_an_answer_that_breaks_off_is_gone_on_with_by_its_model(
    patterned: GatewayProcess, simulator: Control, pattern: str, model: str
) -> None:
    await simulator.behave(model, text=STORY, breaks_after=9)
    chunks = await streamed(patterned, pattern)
    assert text_of(chunks) == STORY
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "stop"
    calls = await simulator.calls()
    assert [call["answered"] for call in calls] == [False] * (len(calls) - 1) + [True]
    assert len({call["idempotency_key"] for call in calls}) == len(calls) > 2
    async with aclosing(open_store(Settings(), environment())) as store:
        booked = (await ledger(store))[-len(calls) :]
    assert [row["status"] for row in booked] == ["failed"] * (len(calls) - 1) + ["ok"]
    cost = sum(row["cost_nanousd"] for row in booked) / 1e9
    assert chunks[-1]["continuo"]["cost_usd"] == pytest.approx(cost)
    assert min(row["cost_nanousd"] for row in booked) > 0


@pytest.mark.parametrize("model", ["sim-mini", "in-turn"])
async def test_a_stream_that_breaks_is_told_alike_whatever_pattern_it_is_in(
    patterned: GatewayProcess, simulator: Control, model: str
) -> None:
    await simulator.behave("sim-mini", text=STORY, breaks_after=8)
    error = (await streamed(patterned, model))[-1]["error"]
    assert error["message"].startswith("stream_broken: ")
    assert (error["type"], error["code"]) == ("server_error", "stream_broken")


async def test_a_rest_that_waits_for_its_turn_uses_up_no_attempt(patterned: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-narrow", text=STORY, breaks_after=9)
    asking = asyncio.ensure_future(streamed(patterned, "goes-on-in-turn"))
    await until(lambda: simulator.calls("sim-narrow"))
    settings = Settings()
    async with (
        aclosing(open_store(settings, environment())) as store,
        opened_limits(settings, environment(), store) as limits,
    ):
        scopes, now = {"model/sim-narrow": Limits(concurrency=2)}, time.time()

        async def taken(place: str) -> bool:
            taking = limits.admit(scopes, place=place, turn=place, tokens=1, lease=1.5, queue=False, now=now)
            return await taking is None

        for place in ("one", "two"):
            await until(partial(taken, place), every=0.01)
        await simulator.behave("sim-narrow", text=STORY)
        assert text_of(await asking) == STORY
    assert len(await simulator.calls("sim-narrow")) == 2
    assert time.time() - now > 1.5


async def test_what_cannot_be_gone_on_with_is_followed_by_no_other_answer(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, breaks_after=8)
    chunks = await streamed(patterned, "goes-on-twice")
    assert "stream_broken" in chunks[-1]["error"]["message"]
    assert STORY.startswith(text_of(chunks[:-1]))
    assert [call["model"] for call in await simulator.calls()] == ["sim-mini"] * 2
    await simulator.behave("sim-mini", thought="First I think. " * 20, text=STORY, breaks_after=8)
    chunks = await streamed(patterned, "goes-on")
    assert "stream_broken" in chunks[-1]["error"]["message"]
    assert len(await simulator.calls()) == 3


async def test_an_answer_that_breaks_before_its_first_piece_is_begun_anew(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", breaks_after=0)
    await simulator.behave("sim-mid", text="Here.")
    async with patterned.openai() as client:
        stream = await client.chat.completions.create(model="two-tiers", messages=ASKED, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text == "Here."


async def test_who_comes_back_goes_on_at_the_next_event(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.02)
    secret = await new_key()
    async with gateway.http(secret) as http:
        async with http.stream("POST", "/v1/chat/completions", json=BODY) as response:
            run = response.headers["x-continuo-run-id"]
            whole = [chunk async for chunk in events(response)]
        for resume, after in ((run, 0), (f"{run}:7", 7), (f"{whole[0]['id']}:3", 3)):
            headers = {"x-continuo-resume": resume}
            async with http.stream("POST", "/v1/chat/completions", json=BODY, headers=headers) as response:
                assert [chunk async for chunk in events(response)] == whole[after:]
        for other in (await new_key(), await new_key(tenant="globex")):
            headers = {"x-continuo-resume": run, "authorization": f"Bearer {other}"}
            assert (await http.post("/v1/chat/completions", json=BODY, headers=headers)).status_code == 404
        for nothing in ("", "nothing", f"{run}:x", f"{run}:-1"):
            refused = await http.post("/v1/chat/completions", json=BODY, headers={"x-continuo-resume": nothing})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_resume")
        absent = await http.post(
            "/v1/chat/completions", json=BODY, headers={"x-continuo-resume": f"model-sim-mini/acme/{'0' * 32}"}
        )
        assert (absent.status_code, absent.json()["error"]["code"]) == (404, "run_not_found")
    assert len(await simulator.calls("sim-mini")) == 1


async def test_whose_run_ends_since_all_have_left_it_is_gone_on_with_by_nobody(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.5)
    async with gateway.http(await new_key()) as http:
        async with http.stream("POST", "/v1/chat/completions", json=BODY) as response:
            run = response.headers["x-continuo-run-id"]
        await counted(0)
        refused = await http.post("/v1/chat/completions", json=BODY, headers={"x-continuo-resume": run})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "run_not_found")
    await counted(0)


async def test_a_run_in_the_background_goes_on_though_who_went_on_with_it_leaves_and_did_not_say_so_again(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.05)
    body = {"model": "sim-mini", "input": "Tell me a story.", "stream": True}
    async with gateway.http(await new_key()) as http:
        async with http.stream("POST", "/v1/responses", json=body | {"background": True}) as response:
            first = await anext(events(response))
        resume = {"x-continuo-resume": first["response"]["id"]}
        async with http.stream("POST", "/v1/responses", json=body, headers=resume) as response:
            assert (await anext(events(response)))["response"]["id"] == first["response"]["id"]

        async def status() -> str:
            return str((await http.get(f"/v1/responses/{first['response']['id']}")).json()["status"])

        async def ended() -> bool:
            return await status() != "in_progress"

        await until(ended)
        assert await status() == "completed"
    assert len(await simulator.calls("sim-mini")) == 1


async def test_a_request_that_is_repeated_gets_the_stream_from_its_start(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.05)
    async with gateway.http(await new_key()) as http:

        async def ask(**headers: str) -> str:
            async with http.stream("POST", "/v1/chat/completions", json=BODY, headers=headers) as response:
                return text_of([chunk async for chunk in events(response)])

        first = asyncio.ensure_future(ask())
        await until(lambda: simulator.calls("sim-mini"))
        assert await ask(**{"x-stainless-retry-count": "1"}) == await first == STORY
    assert len(await simulator.calls("sim-mini")) == 1


async def test_who_leaves_in_mid_stream_ends_the_call(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.5)
    async with gateway.http() as http, http.stream("POST", "/v1/chat/completions", json=BODY) as response:
        async for chunk in events(response):
            if text_of([chunk]):
                break

    async def disconnected() -> bool:
        [call] = await simulator.calls("sim-mini")
        return bool(call["disconnected"])

    await until(disconnected, timeout=5)

    async def booked() -> bool:
        async with aclosing(open_store(Settings(), environment())) as store:
            row = (await ledger(store))[-1]
        # The words that were shown, and not the thousands that the answer might have had.
        return (row["status"], row["estimated"]) == ("cancelled", 1) and 0 < row["output_tokens"] < 50

    await until(booked, timeout=5)


LEAKING = STORY.replace("word40", "eve@evil.test")


async def test_a_guarded_answer_is_streamed_as_it_comes_and_redacted(
    patterned: GatewayProcess, simulator: Control
) -> None:
    """What the answer may say is what the request did, and not what an earlier step has said to the last one."""
    await simulator.behave("sim-mid", text="Mind eve@evil.test.")
    await simulator.behave("sim-mini", text=LEAKING, pace=0.01)
    chunks = await streamed(patterned, "redacted")
    assert text_of(chunks) == LEAKING.replace("eve@evil.test", "███").replace("word58", "███")
    assert len([chunk for chunk in chunks if text_of([chunk])]) > 1


async def test_an_answer_that_is_rejected_ends_before_what_nobody_is_to_see(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=LEAKING, pace=0.01)
    chunks = await streamed(patterned, "rejected")
    assert text_of(chunks) == LEAKING[: LEAKING.index("eve@")]
    assert chunks[-1]["error"]["code"] == "answer_rejected"
    assert "eve@" not in json.dumps(chunks)


async def test_an_answer_that_is_checked_as_a_whole_comes_as_a_whole(
    patterned: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text=STORY, pace=0.01)
    chunks = await streamed(patterned, "checked-whole")
    assert [text_of([chunk]) for chunk in chunks if text_of([chunk])] == [STORY]
