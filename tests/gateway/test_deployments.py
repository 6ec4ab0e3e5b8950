"""Models with several deployments, asked through the gateway."""

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess


async def test_a_stream_that_one_deployment_does_not_begin_comes_from_another_and_says_from_which(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.openai() as sdk:
        stream = await sdk.chat.completions.create(
            model="sim-unreachable", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        chunks = [chunk async for chunk in stream]
    account = (chunks[-1].model_extra or {})["continuo"]
    assert (account["model"], account["provider"]) == ("sim-unreachable", "sim-openai/there")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(await simulator.calls()) == 1


async def test_the_headers_of_an_answer_say_which_deployment_it_is_from(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.anthropic() as sdk:
        raw = await sdk.messages.with_raw_response.create(
            model="sim-cheap", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
        )
    assert raw.headers["x-continuo-provider"] == "sim-openai/discount"
