"""A cache that is broken costs only what it would have saved."""

import signal
import sqlite3
import time
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from continuo.activities.caching import Caching
from continuo.authoring.library import Library
from continuo.jobs import Context, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.operations.metrics import Meter
from continuo.patterns import Cached, Call
from continuo.patterns.choices import Semantic
from continuo.stores.cache import Lookup
from continuo.stores.redis.cache import RedisCache
from continuo.stores.redis.client import TIMEOUT, connect
from continuo.stores.sqlite.cache import open_file
from continuo.testing.processes import kill, running
from tests.support.redis_server import RedisServer

ANSWER = Outcome(text="yes", served_by="model")


def embedded(*vector: float) -> str:
    return b64encode(array("f", vector).tobytes()).decode()


JOB = Job(
    step=Cached(Call(model="m"), semantic=Semantic(model="e")),
    context=Context(pattern="support"),
    request=ModelRequest(messages=(Message(role="user", content="Why?"),)),
)


@pytest.fixture
async def caching(tmp_path: Path) -> AsyncIterator[Caching]:
    cache = open_file(tmp_path / "cache.db")
    yield Caching(cache, Meter(Library()))
    await cache.aclose()


@pytest.fixture
def broken(caching: Caching, tmp_path: Path) -> Caching:
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        connection.execute("DROP TABLE entries")
        connection.execute("DROP TABLE flights")
    connection.close()
    return caching


async def test_what_is_kept_is_found_by_its_words_and_by_its_meaning(caching: Caching) -> None:
    run = ActivityEnvironment().run
    assert await run(caching.look_up, JOB, False) == Lookup()
    assert await run(caching.look_near, JOB, embedded(1, 0)) == Lookup()
    await run(caching.keep, JOB, ANSWER)
    served = Lookup(outcome=Outcome(text="yes", served_by="cache", cost_usd=0))
    assert await run(caching.look_up, JOB, False) == served
    assert await run(caching.look_near, JOB, embedded(1, 0.1)) == served


async def test_a_broken_cache_finds_nothing_and_keeps_nothing_and_says_so(broken: Caching) -> None:
    run = ActivityEnvironment().run
    with capture_logs() as logs:
        assert await run(broken.look_up, JOB, False) == Lookup()
        assert await run(broken.look_near, JOB, embedded(1, 0)) == Lookup()
        await run(broken.keep, JOB, ANSWER)
        await run(broken.keep, JOB, None)
    assert [(line["event"], line["log_level"]) for line in logs] == [("the cache is broken", "warning")] * 4


async def test_a_redis_that_hangs_or_is_gone_is_missed_at_once_and_found_when_it_is_back(tmp_path: Path) -> None:
    run = ActivityEnvironment().run
    async with running(server := RedisServer(tmp_path)):
        cache = RedisCache(connect(server.url))
        caching = Caching(cache, Meter(Library()))
        await run(caching.keep, JOB, ANSWER)
        assert (await run(caching.look_up, JOB, False)).outcome
        with capture_logs() as logs:
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            assert await run(caching.look_up, JOB, False) == Lookup()
            assert time.monotonic() - began < 4 * TIMEOUT
            await kill(server)
            began = time.monotonic()
            assert await run(caching.look_up, JOB, False) == Lookup()
            assert time.monotonic() - began < 3 * TIMEOUT
        assert [line["event"] for line in logs] == ["the cache is broken"] * 2
        await server.start()
        await run(caching.keep, JOB, ANSWER)
        assert (await run(caching.look_up, JOB, False)).outcome
        await cache.aclose()
