"""Responses, as OpenAI's own SDK asks for them."""

import openai
import pytest

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess


async def test_a_response_is_made_and_says_whether_it_is_kept(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.", tokens={"input": 12, "output": 5})
    async with gateway.openai() as client:
        response = await client.responses.create(model="sim-mini", input="Where is my order?", store=False)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)
    assert (response.output_text, response.status) == ("On its way.", "completed")
    assert response.usage is not None
    assert response.usage.total_tokens == 17
    assert (response.model_extra or {})["store"] is False


async def test_a_response_is_streamed(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.")
    async with gateway.openai() as client, client.responses.stream(model="sim-mini", input="Where?") as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert final.output_text == "On its way."
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


@pytest.mark.parametrize("field", [{"background": True}, {"conversation": "conv_1"}], ids=str)
async def test_what_needs_a_kept_response_is_refused_without_one(
    gateway: GatewayProcess, field: dict[str, object]
) -> None:
    async with gateway.openai() as client:
        with pytest.raises(openai.BadRequestError, match="store"):
            await client.responses.create(model="sim-mini", input="Where?", store=False, **field)  # type: ignore[call-overload]


async def test_input_tokens_are_counted(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        counted = await client.responses.input_tokens.count(model="sim-mini", input="Where is my order?")
    assert counted.input_tokens > 0
