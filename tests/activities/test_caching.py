"""A cache that is broken costs only what it would have saved."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.caching import Caching
from continuo.choices import Semantic
from continuo.jobs import Context, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.patterns import Cached, Call
from continuo.stores.cache import Cache, Found, open_cache
from continuo.stores.vectors import written

ANSWER = Outcome(text="yes", served_by="model")
JOB = Job(
    step=Cached(Call(model="m"), semantic=Semantic(model="e")),
    context=Context(pattern="support"),
    request=ModelRequest(messages=(Message(role="user", content="Why?"),)),
)


@pytest.fixture
async def caching(tmp_path: Path) -> AsyncIterator[Caching]:
    database = open_cache(tmp_path / "cache.db")
    yield Caching(Cache(database))
    await database.aclose()


@pytest.fixture
def broken(caching: Caching, tmp_path: Path) -> Caching:
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        connection.execute("DROP TABLE entries")
        connection.execute("DROP TABLE flights")
    connection.close()
    return caching


async def test_what_is_kept_is_found_by_its_words_and_by_its_meaning(caching: Caching) -> None:
    run = ActivityEnvironment().run
    assert await run(caching.look_up, JOB, False) == Found()
    assert await run(caching.look_near, JOB, written([1, 0])) == Found()
    await run(caching.keep, JOB, ANSWER)
    served = Found(outcome=Outcome(text="yes", served_by="cache", cost_usd=0))
    assert await run(caching.look_up, JOB, False) == served
    assert await run(caching.look_near, JOB, written([1, 0.1])) == served


async def test_a_broken_cache_finds_nothing_and_keeps_nothing_and_says_so(broken: Caching) -> None:
    run = ActivityEnvironment().run
    with capture_logs() as logs:
        assert await run(broken.look_up, JOB, False) == Found()
        assert await run(broken.look_near, JOB, written([1, 0])) == Found()
        await run(broken.keep, JOB, ANSWER)
        await run(broken.keep, JOB, None)
    assert [(line["event"], line["log_level"]) for line in logs] == [("the cache is broken", "warning")] * 4
