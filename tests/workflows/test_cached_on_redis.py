"""What workers on many hosts share: pools that have nothing in common but Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.jobs import Outcome
from continuo.patterns import Cached, Call, Retry
from continuo.settings import Settings
from starters.launch import result
from tests.redis_server import RedisServer
from tests.support import Control, TemporalServer, begin, job, kill, outcome, running, until
from workers.connect import connect
from workers.pool import pool

ASKED = Cached(Call(model="mid", retry=Retry(attempts=1)))


@pytest.fixture
async def redis(
    temporal: TemporalServer, simulator: Control, shop: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RedisServer]:
    """The Redis of two pools, each with a data folder of its own as on a host of its own."""
    async with running(server := RedisServer(tmp_path)):
        monkeypatch.setenv("REDIS_URL", server.url)
        one, other = (Settings(data=tmp_path / name) for name in ("one", "other"))
        async with pool(await connect(), one, "batch", 10), pool(await connect(), other, "batch", 10):
            yield server


@pytest.mark.usefixtures("redis")
async def test_concurrent_misses_run_the_step_once_for_all_hosts(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=0.5)
    asked = job(ASKED, f"Question {uuid4()}", priority="batch")
    found = await asyncio.gather(*(outcome(client, asked) for _ in range(10)))
    assert sorted(one.served_by for one in found) == ["cache"] * 9 + ["model"]
    assert len(await simulator.calls()) == 1


async def test_runs_are_answered_while_redis_is_killed_and_gone(
    client: Client, simulator: Control, redis: RedisServer
) -> None:
    await simulator.behave("sim-mid", latency=0.5)
    asked = job(ASKED, f"Question {uuid4()}", priority="batch")
    handles = [await begin(client, asked) for _ in range(3)]
    await until(simulator.calls)
    await kill(redis)
    async with asyncio.timeout(10):
        found = [await result(handle) for handle in handles]
        found.append(await outcome(client, asked))
    assert [one.served_by for one in found if isinstance(one, Outcome)] == ["model"] * 4
