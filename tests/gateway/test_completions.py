"""Completions of the form before chats, as OpenAI's own SDK asks for them."""

import asyncio

import openai
import pytest

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess


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
