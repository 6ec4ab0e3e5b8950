"""A model behind KServe's protocol is asked through the gateway as any other."""

from typing import Any

import openai
import pytest

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess


async def test_it_answers_streams_and_embeds_and_refuses_what_it_has_no_tensor_for(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-tensors", text="It is on its way.")
    await simulator.behave("sim-tensors-embed", embeddings={"a": [0.5, -1.0]})
    turns: Any = [{"role": "user", "content": "Where is it?"}]
    async with gateway.openai() as client:
        create = client.chat.completions.create
        answer = await create(model="sim-tensors", messages=turns, temperature=0.5)
        stream = await create(model="sim-tensors", messages=turns, stream=True)
        pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        vectors = await client.embeddings.create(model="sim-tensors-embed", input=["a"])
        with pytest.raises(openai.BadRequestError, match="takes no stop; leave it out, or use another model"):
            await create(model="sim-tensors", messages=turns, stop="x")
    assert answer.choices[0].message.content == "It is on its way."
    assert [piece for piece in pieces if piece] == ["It is on its way."]
    assert vectors.data[0].embedding == [0.5, -1.0]
    assert [len(call["body"]["inputs"]) for call in await simulator.calls("sim-tensors")] == [2, 1]
