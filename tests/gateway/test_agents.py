"""An agent as the model of a client's own SDK."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest

from continuo.testing.processes import Control
from tests.gateway.test_chat import ASKED, WEATHER
from tests.support.gateway import GatewayProcess
from tests.support.streams import STORY

TOLD: Any = ASKED
LOOK = {"calls": [{"name": "look_up", "arguments": {"input": "How do I return a parcel?"}}]}


async def test_an_agent_answers_as_a_model_does_whatever_its_tools_were(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mid", script=[LOOK, {"text": "Within 30 days."}])
    async with gateway.openai() as client:
        completion = await client.chat.completions.create(model="help-desk", messages=ASKED)
    choice = completion.choices[0]
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
    assert choice.message.content == "Within 30 days."
    [_, second] = await simulator.calls("sim-mid")
    assert "return" in json.dumps(second["body"]["messages"][-1])


async def _chat(client: openai.AsyncOpenAI, model: str) -> AsyncIterator[str]:
    async for chunk in await client.chat.completions.create(model=model, messages=ASKED, stream=True):
        if chunk.choices:
            assert chunk.choices[0].delta.tool_calls is None
            yield chunk.choices[0].delta.content or ""


async def _responses(client: openai.AsyncOpenAI, model: str) -> AsyncIterator[str]:
    async for event in await client.responses.create(model=model, input="Tell me.", stream=True):
        if event.type == "response.output_text.delta":
            yield event.delta


async def _messages(client: anthropic.AsyncAnthropic, model: str) -> AsyncIterator[str]:
    async with client.messages.stream(model=model, messages=TOLD, max_tokens=500) as stream:
        async for text in stream.text_stream:
            yield text


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
async def test_what_it_says_is_streamed_as_its_model_writes_it(
    gateway: GatewayProcess, simulator: Control, dialect: str
) -> None:
    script = [{"text": "I look it up.", **LOOK}, {**LOOK}, {"text": STORY}]
    await simulator.behave("sim-mid", script=script, thought="Hm.", pace=0.02)
    text = ""
    answered: list[bool] = []
    async with gateway.openai() as client, gateway.anthropic() as other:
        pieces = {
            "chat": _chat(client, "help-desk"),
            "responses": _responses(client, "help-desk"),
            "messages": _messages(other, "help-desk"),
        }
        async for piece in pieces[dialect]:
            text += piece
            if "word1" in text and not answered:
                answered = [bool(call["answered"]) for call in await simulator.calls("sim-mid")]
    assert answered == [True, True, False]
    # What was said before the tools were called is part of the answer: it cannot be taken back.
    assert text == f"I look it up.\n\n{STORY}"


async def test_the_tools_of_a_caller_are_refused_since_it_has_its_own(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="has tools of its own; leave tools out"):
            await client.chat.completions.create(model="help-desk", messages=ASKED, tools=[WEATHER])
