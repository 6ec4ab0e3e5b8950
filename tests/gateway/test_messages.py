"""Anthropic's Messages and models, as its own SDK asks for them."""

import anthropic
import pytest
from anthropic.types import MessageParam

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess

ASKED: list[MessageParam] = [{"role": "user", "content": "Where is my order?"}]


async def test_a_model_of_another_protocol_answers_as_a_message(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.", tokens={"input": 12, "output": 5})
    async with gateway.anthropic() as client:
        message = await client.messages.create(model="sim-mini", max_tokens=100, messages=ASKED)
    assert message.id.startswith("msg_")
    assert [block.text for block in message.content if block.type == "text"] == ["On its way."]
    assert (message.usage.input_tokens, message.usage.output_tokens, message.stop_reason) == (12, 5, "end_turn")


async def test_a_message_is_streamed(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.")
    async with (
        gateway.anthropic() as client,
        client.messages.stream(model="sim-mini", max_tokens=100, messages=ASKED) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert (text, final.stop_reason) == ("On its way.", "end_turn")


async def test_tokens_are_counted_and_models_listed(gateway: GatewayProcess) -> None:
    async with gateway.anthropic() as client:
        counted = await client.messages.count_tokens(model="sim-mini", messages=ASKED)
        listed = [model.id async for model in client.models.list(limit=2)]
        assert (await client.models.retrieve(listed[0])).id == listed[0]
    assert counted.input_tokens > 0
    assert {"support", "sim-mini"} <= {*listed}


async def test_errors_are_the_sdks_own(gateway: GatewayProcess) -> None:
    async with gateway.anthropic() as client:
        with pytest.raises(anthropic.NotFoundError, match="unknown model"):
            await client.messages.create(model="no-such", max_tokens=100, messages=ASKED)
    async with gateway.anthropic("wrong") as client:
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(model="sim-mini", max_tokens=100, messages=ASKED)
