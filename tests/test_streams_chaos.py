"""Many streams at once, and killed processes: each stream is whole, in order, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from continuo.testing.processes import kill, until
from tests.support.gateway import GatewayProcess, served_gateway
from tests.support.redis_server import redis
from tests.support.stores import emptied, postgres
from tests.support.streams import BODY, STORY, events, resumed_after_a_kill, text_of
from tests.support.world import World, made

pytestmark = pytest.mark.chaos

STREAMS = 50


@pytest.fixture(params=["sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Servers of its own whose stream log is of each kind, and slots for every stream."""
    async with AsyncExitStack() as resources:
        patch = resources.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("CONTINUO_STANDARD_SLOTS", str(STREAMS + 50))
        if request.param == "postgres":
            url = await resources.enter_async_context(postgres(tmp_path / "postgres"))
            patch.setenv("DATABASE_URL", await emptied(url))
        if request.param == "redis":
            patch.setenv("REDIS_URL", await resources.enter_async_context(redis(tmp_path / "redis")))
        yield await resources.enter_async_context(made(tmp_path / "world"))


@pytest.mark.parametrize("world", ["redis"], indirect=True)
async def test_streams_and_answers_outlive_their_gateway(world: World, tmp_path: Path) -> None:
    await resumed_after_a_kill(world, tmp_path, streams=6, whole=6, pace=0.5)


async def asked(http: httpx.AsyncClient, number: int) -> list[dict[str, Any]]:
    """The chunks of a stream."""
    body = BODY | {"messages": [{"role": "user", "content": f"story {number}"}]}
    chunks = []
    async with http.stream("POST", "/v1/chat/completions", json=body) as response:
        async for chunk in events(response):
            chunks.append(chunk)
    return chunks


async def test_many_streams_are_whole_each(world: World, tmp_path: Path) -> None:
    await world.pool()
    await world.simulator.behave("sim-mini", text=STORY, pace=0.1)
    async with served_gateway(tmp_path / "gateway.log") as gateway, many(gateway) as http:
        found = await asyncio.gather(*(asked(http, number) for number in range(STREAMS)))
    for chunks in found:
        assert text_of(chunks) == STORY
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert len({chunk["id"] for chunk in chunks}) == 1
    assert len({chunks[0]["id"] for chunks in found}) == STREAMS
    assert len(await world.simulator.calls("sim-mini")) == STREAMS


async def test_streams_whose_temporal_is_killed_come_to_their_end(world: World, tmp_path: Path) -> None:
    await world.pool()
    await world.simulator.behave("sim-mini", text=STORY, pace=0.2)
    async with served_gateway(tmp_path / "gateway.log") as gateway, many(gateway) as http:
        asking = [asyncio.ensure_future(asked(http, number)) for number in range(6)]

        async def all_under_way() -> bool:
            return len(await world.simulator.calls("sim-mini")) == 6

        await until(all_under_way)
        await kill(world.temporal.child)
        await world.temporal.start()
        found = await asyncio.gather(*asking)
    assert [text_of(chunks) for chunks in found] == [STORY] * 6
    assert len(await world.simulator.calls("sim-mini")) == 6


async def test_a_stream_whose_worker_dies_breaks_off_or_is_gone_on_with_as_its_call_says(
    world: World, tmp_path: Path
) -> None:
    patterns = tmp_path / "patterns"
    patterns.mkdir()
    pattern = "pattern: {kind: call, model: sim-mid, on_break: continue}"
    (patterns / "goes-on.yaml").write_text(f"description: goes on\n{pattern}\n", encoding="utf-8")
    worker = await world.pool()
    for model in ("sim-mini", "sim-mid"):
        await world.simulator.behave(model, text=STORY, pace=0.5)
    broken, whole = list[dict[str, Any]](), list[dict[str, Any]]()

    async def ask(model: str, chunks: list[dict[str, Any]]) -> None:
        async with http.stream("POST", "/v1/chat/completions", json=BODY | {"model": model}) as response:
            async for chunk in events(response):
                chunks.append(chunk)

    async def under_way() -> bool:
        return min(len(broken), len(whole)) >= 3

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTINUO_PATTERNS", str(patterns))
        async with served_gateway(tmp_path / "gateway.log") as gateway, gateway.http() as http:
            asking = asyncio.gather(ask("sim-mini", broken), ask("goes-on", whole))
            await until(under_way)
            await kill(worker)
            await world.pool()
            await asking
    assert "stream_broken" in broken[-1]["error"]["message"]
    assert STORY.startswith(text_of(broken[:-1]))
    assert len(await world.simulator.calls("sim-mini")) == 1
    assert text_of(whole) == STORY
    assert len(await world.simulator.calls("sim-mid")) == 2


def many(gateway: GatewayProcess) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    headers = {"authorization": f"Bearer {gateway.secret}"}
    return httpx.AsyncClient(base_url=gateway.url, headers=headers, limits=limits, timeout=120)
