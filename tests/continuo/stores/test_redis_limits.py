"""The rule is written twice, in Python and in Lua: both must say the same."""

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Limits
from continuo.stores.limits import SqlLimits
from continuo.stores.migrations import LIMITS
from continuo.stores.redis.client import connect
from continuo.stores.redis.limits import RedisLimits
from continuo.stores.sqlite.database import Sqlite
from tests.support.redis_server import forgotten


class Ask(NamedTuple):
    name: str
    tokens: int
    lease: float
    queue: bool
    later: float
    settled: int | None
    """None is a call that never tells its end."""


ASKS = st.builds(
    Ask,
    name=st.sampled_from("abcdef"),
    tokens=st.integers(0, 60),
    lease=st.sampled_from([1, 30, 5000]),
    queue=st.booleans(),
    later=st.sampled_from([0, 0.25, 1, 7.3, 59.9, 61, 3600]),
    settled=st.none() | st.integers(-20, 20),
)
NUMBER = st.none() | st.integers(1, 6)
MANY = st.none() | st.integers(1, 120)
LIMITED = st.builds(
    Limits,
    concurrency=NUMBER,
    requests_per_minute=NUMBER,
    requests_per_hour=NUMBER,
    tokens_per_minute=MANY,
    tokens_per_hour=MANY,
    throttle_at=st.sampled_from([0.8, 1]),
)


@given(scopes=st.dictionaries(st.sampled_from(["model/m", "provider/p"]), LIMITED), asks=st.lists(ASKS, max_size=20))
async def test_redis_says_what_sql_says(redis_url: str, scopes: dict[str, Limits], asks: list[Ask]) -> None:
    now, running = 1_789_000_000.125, defaultdict[str, list[tuple[float, float]]](list)
    with TemporaryDirectory() as folder:
        database = Sqlite(Path(folder) / "limits.db", LIMITS, durable=False)
        async with connect(await forgotten(redis_url)) as client:
            sql, redis = SqlLimits(database), RedisLimits(client)
            for name, tokens, lease, queue, later, settled in asks:
                now += later
                if settled is not None and running[name]:
                    # The earliest attempt, though a later one may have taken its place over.
                    admitted, held = running[name].pop(0)
                    for store in (sql, redis):
                        await store.settle(scopes, place=name, admitted=admitted, lease=held, tokens=settled)
                    continue
                found, same = [
                    await store.admit(scopes, place=name, turn=name, tokens=tokens, lease=lease, queue=queue, now=now)
                    for store in (sql, redis)
                ]
                assert found == same
                if found is None:
                    running[name].append((now, lease))
        await database.aclose()


async def test_nothing_stays_for_ever(redis_url: str) -> None:
    scopes = {"model/m": Limits(concurrency=1, requests_per_hour=5)}
    async with connect(await forgotten(redis_url)) as client:
        for name in "ab":
            await RedisLimits(client).admit(scopes, place=name, turn=name, tokens=1, lease=10, queue=True, now=0)
        left = {key.decode(): await client.ttl(key) async for key in client.scan_iter("continuo:*")}
    assert left == {
        "continuo:limits:places:model/m": pytest.approx(70, abs=2),
        "continuo:limits:turns:model/m": pytest.approx(91, abs=2),
        "continuo:limits:windows:model/m:60": pytest.approx(3720, abs=2),
    }
