"""What is asked for with a key is counted by all gateways together, on every store of limits."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from continuo.access import limits as limits_module
from continuo.access.limits import Admitted, KeyLimits, Refused
from continuo.config.settings import Settings
from continuo.protection.api_keys import ApiKey
from continuo.stores.opened import open_store, opened_limits
from continuo.stores.redis.client import connect
from continuo.stores.redis.limits import RedisLimits
from continuo.testing.processes import until
from tests.continuo.stores.holding import SHORT, key

EACH_WAY = pytest.mark.parametrize("limits_environ", ["sqlite", "redis"], indirect=True)
"""One store in SQL and one in Redis, for what waits until a lease is over."""


@pytest.fixture
async def gateways(limits_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[KeyLimits, KeyLimits]]:
    """Two processes' views of one store."""
    async with AsyncExitStack() as resources:
        found = []
        for _ in range(2):
            database = open_store(Settings(data=tmp_path), limits_environ)
            resources.push_async_callback(database.aclose)
            opening = opened_limits(Settings(data=tmp_path), limits_environ, database)
            store = await resources.enter_async_context(opening)
            found.append(await resources.enter_async_context(KeyLimits(store)))
        yield found[0], found[1]


async def admitted(limits: KeyLimits, key: ApiKey, tokens: int = 1) -> Admitted:
    result = await limits.admit(key, tokens)
    assert isinstance(result, Admitted)
    return result


async def refused(limits: KeyLimits, key: ApiKey, tokens: int = 1) -> Refused:
    result = await limits.admit(key, tokens)
    assert isinstance(result, Refused)
    return result


async def test_requests_a_minute_are_counted_over_all_gateways_and_told_in_headers(
    gateways: tuple[KeyLimits, KeyLimits],
) -> None:
    narrow = key(requests_per_minute=5)
    results = await asyncio.gather(*(gateways[n % 2].admit(narrow, 1) for n in range(20)))
    went = [one for one in results if isinstance(one, Admitted)]
    assert len(went) == 5
    over = await refused(gateways[0], narrow)
    assert over.headers["x-ratelimit-limit-requests"] == "5"
    assert over.headers["x-ratelimit-remaining-requests"] == "0"
    assert over.headers["retry-after"] == str(int(-(-over.retry_after // 1)))
    assert 0 < over.retry_after <= 61
    assert over.why.startswith("key/abcdefghijkl has used 5 of 5 requests")
    assert isinstance(await gateways[1].admit(key(id="another"), 1), Admitted)


async def test_tokens_are_estimated_before_and_corrected_after(gateways: tuple[KeyLimits, KeyLimits]) -> None:
    one, other = gateways
    narrow = key(tokens_per_minute=100)
    first = await admitted(one, narrow, 90)
    assert first.headers["x-ratelimit-remaining-tokens"] == "10"
    await refused(other, narrow, 20)
    await one.release(first, 30)
    second = await admitted(other, narrow, 20)
    assert second.headers["x-ratelimit-remaining-tokens"] == "50"
    await other.release(second, None)
    assert (await admitted(one, narrow, 50)).headers["x-ratelimit-remaining-tokens"] == "0"


async def test_a_place_is_free_again_when_its_request_has_ended(gateways: tuple[KeyLimits, KeyLimits]) -> None:
    one, other = gateways
    narrow = key(concurrency=2)
    first, _ = await admitted(one, narrow), await admitted(other, narrow)
    over = await refused(other, narrow)
    assert "2 of 2 requests at once" in over.why
    assert {*over.headers} == {"retry-after", "retry-after-ms"}
    await one.release(first, 1)
    await admitted(other, narrow)


@EACH_WAY
async def test_a_request_that_lasts_keeps_its_place_and_gives_it_back(
    gateways: tuple[KeyLimits, KeyLimits], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = gateways
    narrow = key(concurrency=1)
    monkeypatch.setattr(limits_module, "LEASE", SHORT)
    async with KeyLimits(one._store) as quick:
        long = await admitted(quick, narrow)
        first = long.lease

        async def twice_renewed() -> bool:
            await refused(other, narrow)
            return long.lease > first + SHORT

        await until(twice_renewed, timeout=20)
        await quick.release(long, 1)
        await admitted(other, narrow)


@EACH_WAY
async def test_the_place_of_a_gateway_that_was_killed_is_free_when_its_lease_is_over(
    gateways: tuple[KeyLimits, KeyLimits], limits_environ: dict[str, str], tmp_path: Path
) -> None:
    environment = {**os.environ, **limits_environ, "CONTINUO_DATA": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.continuo.stores.holding"), env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"Admitted\n"
    await refused(gateways[0], key(concurrency=1))
    process.kill()
    await process.wait()

    async def free() -> bool:
        return isinstance(await gateways[0].admit(key(concurrency=1), 1), Admitted)

    await until(free, timeout=20)


async def test_a_key_without_limits_is_counted_nowhere(gateways: tuple[KeyLimits, KeyLimits]) -> None:
    result = await admitted(gateways[0], key())
    assert result.headers == {}
    await gateways[0].release(result, 5)


async def test_where_the_store_of_limits_is_broken_requests_go_uncounted() -> None:
    async with connect("redis://127.0.0.1:1/0") as client, KeyLimits(RedisLimits(client)) as limits:
        for _ in range(2):
            result = await admitted(limits, key(concurrency=1, requests_per_minute=1))
            assert result.headers == {}
            await limits.release(result, 1)
