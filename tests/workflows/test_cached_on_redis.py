"""What workers on many hosts share: pools that have nothing in common but Redis."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.runs import result
from continuo.jobs import Job, Outcome
from continuo.patterns import Cached, Call, Retry
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, TemporalServer, begin, job, kill, outcome, running, until
from continuo.workers.pool import pool
from tests.support.redis_server import RedisServer


@pytest.mark.chaos
async def test_a_step_is_run_once_for_all_hosts_and_runs_are_answered_while_redis_is_killed_and_gone(
    temporal: TemporalServer,
    client: Client,
    simulator: Control,
    shop: Control,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await simulator.behave("sim-mid", latency=0.5)
    async with running(redis := RedisServer(tmp_path)):
        monkeypatch.setenv("REDIS_URL", redis.url)
        one, other = (Library(Settings(data=tmp_path / name)) for name in ("one", "other"))
        async with pool(await connect(), one, "batch", 10), pool(await connect(), other, "batch", 10):
            first = await asyncio.gather(*(outcome(client, asked("first")) for _ in range(10)))
            assert sorted(found.served_by for found in first) == ["cache"] * 9 + ["model"]
            assert len(await simulator.calls()) == 1

            await simulator.behave("sim-mid", latency=10)
            handles = [await begin(client, asked("second")) for _ in range(3)]
            await until(lambda: called(simulator, 2))
            await kill(redis)
            await simulator.behave("sim-mid", latency=0)
            async with asyncio.timeout(60):
                second = [await result(handle) for handle in handles]
                second.append(await outcome(client, asked("second")))
    assert [found.served_by for found in second if isinstance(found, Outcome)] == ["model"] * 4


def asked(prompt: str) -> Job:
    return job(Cached(Call(model="mid", retry=Retry(attempts=1))), prompt, priority="batch")


async def called(simulator: Control, times: int) -> bool:
    return len(await simulator.calls()) == times
