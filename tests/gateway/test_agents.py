"""An agent as the model of a client's own SDK."""

import json

import openai
import pytest

from continuo.testing.processes import Control
from tests.gateway.test_chat import ASKED, WEATHER
from tests.support.gateway import GatewayProcess

LOOK = {"calls": [{"name": "look_up", "arguments": {"input": "How do I return a parcel?"}}]}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_agent_answers_as_a_model_does_whatever_its_tools_were(
    gateway: GatewayProcess, simulator: Control, stream: bool
) -> None:
    await simulator.behave("sim-mid", script=[LOOK, {"text": "Within 30 days."}])
    async with gateway.openai() as client:
        if stream:
            chunks = await client.chat.completions.create(model="help-desk", messages=ASKED, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])
        else:
            completion = await client.chat.completions.create(model="help-desk", messages=ASKED)
            choice = completion.choices[0]
            assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
            text = choice.message.content or ""
    assert text == "Within 30 days."
    [_, second] = await simulator.calls("sim-mid")
    assert "return" in json.dumps(second["body"]["messages"][-1])


async def test_the_tools_of_a_caller_are_refused_since_it_has_its_own(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="has tools of its own; leave tools out"):
            await client.chat.completions.create(model="help-desk", messages=ASKED, tools=[WEATHER])
