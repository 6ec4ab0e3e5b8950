"""What only a server can do: be full, forget, expire, be somewhere else."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from continuo.errors import InputError
from continuo.stores import vectors
from continuo.stores.backend import address
from continuo.stores.redis.cache import RedisCache
from continuo.stores.redis.client import connect
from continuo.stores.vectors import packed
from tests.continuo.stores.test_cache_contract import answer, place
from tests.support.redis_server import forgotten


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(await forgotten(redis_url))
    yield client
    await client.aclose()


@pytest.fixture
def cache(client: Redis) -> RedisCache:
    return RedisCache(client)


async def keep(cache: RedisCache, key: str, vector: list[float]) -> None:
    await cache.look_up(place(key), take_off=True, now=0)
    await cache.similar(place(key), packed(vector), 1, now=0)
    await cache.keep(place(key), answer(key), ttl=10, max_size=10, now=0)


async def test_nothing_stays_for_ever_and_nothing_goes_before_its_time(client: Redis, cache: RedisCache) -> None:
    await keep(cache, "k", [1, 0])
    await cache.look_up(place("flown"), take_off=True, now=0)
    left = {key: await client.ttl(key) async for key in client.scan_iter("continuo:*")}
    assert len(left) == 5
    assert all(86_400 < seconds < 86_411 for seconds in left.values()), left


async def test_an_answer_is_found_even_where_nothing_can_be_written(client: Redis, cache: RedisCache) -> None:
    await cache.keep(place("k"), answer("x"), ttl=10, max_size=10, now=0)
    before = (await client.config_get("maxmemory"))["maxmemory"]
    await client.config_set("maxmemory", "1")
    try:
        assert (await cache.look_up(place("k"), take_off=True, now=1)).outcome
    finally:
        await client.config_set("maxmemory", before or "0")


async def test_what_redis_itself_has_dropped_is_missed_and_gives_way_in_its_turn(
    client: Redis, cache: RedisCache
) -> None:
    for number, key in enumerate("abc"):
        await cache.keep(place(key), answer(key), ttl=10, max_size=3, now=number)
    await client.delete("continuo:cache:entry:a", "continuo:cache:entry:c")
    assert [row["key"] for row in await cache.entries(None, 5)] == ["b"]
    for number, key in enumerate("def"):
        await cache.keep(place(key), answer(key), ttl=10, max_size=3, now=5 + number)
    assert [row["key"] for row in await cache.entries(None, 8)] == ["f", "e", "d"]


async def test_after_redis_has_lost_its_memory_new_answers_are_found_by_meaning(
    cache: RedisCache, redis_url: str
) -> None:
    for key in "ab":
        await keep(cache, key, [1, 0])
    assert (await cache.similar(place("new"), packed([1, 0]), 0.9, 1)).outcome
    await forgotten(redis_url)
    await keep(cache, "c", [1, 0])
    found = (await cache.similar(place("new"), packed([1, 0]), 0.9, 1)).outcome
    assert found is not None
    assert found.text == "c"


async def test_many_embeddings_are_read_in_portions(cache: RedisCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("continuo.stores.redis.cache.PORTION", 2)
    monkeypatch.setattr(vectors, "MOST", 5)
    axes = [[float(axis == number) for axis in range(7)] for number in range(7)]
    for number, vector in enumerate(axes):
        await keep(cache, str(number), vector)
    found = [await cache.similar(place("new"), packed(vector), 0.9, 1) for vector in axes]
    assert [one.outcome and one.outcome.text for one in found] == [None, None, "2", "3", "4", "5", "6"]
    assert await cache.clear(None) == 7


@pytest.mark.parametrize(
    "url",
    ["http://h", "h:6379", "redis://h:port", "redis://h:99999", "redis://h/cache", "redis://h?shrad=1", "redis://[::1"],
)
def test_a_url_that_is_none_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(InputError, match=r"^REDIS_URL: .*; write redis://[^\n]*$"):
        connect(url)


def test_an_address_tells_no_password() -> None:
    assert address("rediss://me:secret@h:6380/2?ssl_cert_reqs=none") == "rediss://h:6380/2"
