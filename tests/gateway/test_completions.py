"""Completions of the form before chats, as OpenAI's own SDK asks for them."""

import asyncio
from operator import itemgetter
from typing import Any

import openai
import pytest

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key
from tests.support.streams import events


async def test_a_prompt_is_completed_with_usage_tokens_and_our_account(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="It is on its way.", confidence=0.9, tokens={"input": 12, "output": 5})
    async with gateway.openai() as client:
        completion = await client.completions.create(model="sim-mid", prompt="My order?", logprobs=1, max_tokens=50)
    choice = completion.choices[0]
    assert completion.id.startswith("cmpl-")
    assert (choice.text, choice.finish_reason) == ("It is on its way.\nCONFIDENCE: 0.9", "stop")
    assert choice.logprobs is not None
    assert choice.logprobs.tokens is not None
    assert "".join(choice.logprobs.tokens) == choice.text
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (12, 5)
    assert (completion.model_extra or {})["continuo"]["model"] == "sim-mid"
    [call] = await simulator.calls("sim-mid")
    assert call["body"]["max_tokens"] == 50


async def test_a_completion_is_streamed_after_the_prompt_that_is_echoed(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="It is on its way.")
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.secret) as client:
        create = client.completions.create
        chunks = await asyncio.to_thread(
            lambda: list(create(model="sim-mini", prompt="My order? ", echo=True, stream=True))
        )
    assert "".join(chunk.choices[0].text for chunk in chunks) == "My order? It is on its way."
    assert chunks[-1].choices[0].finish_reason == "stop"
    [call] = await simulator.calls("sim-mini")
    assert call["body"]["generationConfig"]["maxOutputTokens"] == 16


async def test_several_prompts_are_a_run_for_each_choice_in_their_order(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", tokens={"input": 10, "output": 3})
    async with gateway.openai() as client:
        made = await client.completions.create(model="sim-mini", prompt=["Red? ", "Blue? "], n=2, echo=True, seed=5)
    assert [(choice.index, choice.text.split()[0]) for choice in made.choices] == [
        (0, "Red?"), (1, "Red?"), (2, "Blue?"), (3, "Blue?")
    ]  # fmt: skip
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (40, 12)
    sent = [
        (str(call["body"]["contents"]), call["body"]["generationConfig"]["seed"]) for call in await asked(simulator)
    ]
    assert [("Red" in text, seed) for text, seed in sent] == [(False, 5), (False, 6), (True, 5), (True, 6)]


async def asked(simulator: Control) -> list[dict[str, Any]]:
    """The calls, sorted by what was asked."""
    key = itemgetter("contents", "generationConfig")
    return sorted(await simulator.calls("sim-mini"), key=lambda call: str(key(call["body"])))


async def test_several_prompts_are_streamed_one_behind_the_other_and_found_again(
    gateway: GatewayProcess, simulator: Control
) -> None:
    body = {"model": "sim-mini", "prompt": ["Red? ", "Blue? "], "echo": True, "stream": True}
    async with gateway.http(await new_key()) as http:
        async with http.stream("POST", "/v1/completions", json=body) as response:
            run = response.headers["x-continuo-run-id"]
            whole = [chunk async for chunk in events(response)]
        async with http.stream(
            "POST", "/v1/completions", json=body, headers={"x-continuo-resume": f"{run}:2"}
        ) as response:
            assert [chunk async for chunk in events(response)] == whole[2:]
    texts = ["", ""]
    for choice in (choice for chunk in whole for choice in chunk["choices"]):
        texts[choice["index"]] += choice["text"]
    assert [text.split()[0] for text in texts] == ["Red?", "Blue?"]
    assert len(await simulator.calls("sim-mini")) == 2


async def test_a_pattern_completes_too_and_what_cannot_be_done_is_a_typed_error(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.openai() as client:
        assert (await client.completions.create(model="support", prompt="Where is my order?")).choices[0].text
        with pytest.raises(openai.BadRequestError, match="suffix: "):
            await client.completions.create(model="sim-mini", prompt="a", suffix="b")
        with pytest.raises(openai.NotFoundError, match="unknown model"):
            await client.completions.create(model="no-such", prompt="a")
        await simulator.behave("sim-mini", status=429, retry_after=200)
        with pytest.raises(openai.RateLimitError):
            await client.with_options(max_retries=0).completions.create(model="sim-mini", prompt="a")
