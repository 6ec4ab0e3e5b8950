"""Streams of a gateway, read as they come and gone on with where they broke."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from continuo.testing.processes import kill, until
from tests.support.gateway import served_gateway
from tests.support.world import World

ASKED: Any = [{"role": "user", "content": "Tell me a story."}]
STORY = " ".join(f"word{number}" for number in range(60))
"""Twenty pieces, as the simulated model sends them."""

BODY: dict[str, Any] = {"model": "sim-mini", "messages": ASKED, "stream": True}


async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The chunks of a streamed completion, as they come."""
    async for line in response.aiter_lines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def text_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))


async def resumed_after_a_kill(world: World, folder: Path, streams: int, whole: int, pace: float) -> None:
    """Kill the gateway with so many streams and whole answers under way: each goes on, and is asked for once."""
    await world.pool()
    await world.simulator.behave("sim-mini", text=STORY, pace=pace)
    await world.simulator.behave("sim-mid", text=STORY, latency=pace * 20)
    async with served_gateway(folder / "gateway.log") as gateway, gateway.http() as http, gateway.openai() as client:
        begun: dict[int, list[dict[str, Any]]] = {number: [] for number in range(streams)}

        async def stream(number: int) -> list[dict[str, Any]]:
            body = BODY | {"messages": [{"role": "user", "content": f"story {number}"}]}
            try:
                async with http.stream("POST", "/v1/chat/completions", json=body) as response:
                    async for chunk in events(response):
                        begun[number].append(chunk)
            except httpx.TransportError:
                headers = {"x-continuo-resume": f"{begun[number][0]['id']}:{len(begun[number])}"}
                async with http.stream("POST", "/v1/chat/completions", json=body, headers=headers) as response:
                    return [chunk async for chunk in events(response)]
            raise AssertionError("the stream was not interrupted")

        async def ask(number: int) -> str:
            completion = await client.chat.completions.create(
                model="sim-mid", messages=[{"role": "user", "content": f"answer {number}"}]
            )
            return completion.choices[0].message.content or ""

        asking = [asyncio.ensure_future(ask(number)) for number in range(whole)]
        streaming = [asyncio.ensure_future(stream(number)) for number in range(streams)]

        async def all_under_way() -> bool:
            return (
                all(len(chunks) >= 3 for chunks in begun.values())
                and len(await world.simulator.calls("sim-mid")) == whole
            )

        await until(all_under_way)
        await kill(gateway.child)
        await gateway.child.start()
        rests, answers = await asyncio.gather(*streaming), await asyncio.gather(*asking)
    for number, rest in enumerate(rests):
        assert rest
        assert text_of([*begun[number], *rest]) == STORY
    assert answers == [STORY] * whole
    assert len(await world.simulator.calls()) == streams + whole
