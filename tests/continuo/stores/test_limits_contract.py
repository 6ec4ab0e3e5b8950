"""The contract of the store of limits, on every backend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from continuo.config.catalog import Limits
from continuo.config.settings import Settings
from continuo.protection.rate_limits import Slot, Wait
from continuo.stores.limits import GRACE, LimitStore
from continuo.stores.opened import open_store, opened_limits

FIVE = {"model/m": Limits(concurrency=5)}


@pytest.fixture
async def stores(limits_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[LimitStore, LimitStore]]:
    """Two processes' views of one store."""
    async with AsyncExitStack() as resources:
        found = []
        for _ in range(2):
            database = open_store(Settings(data=tmp_path), limits_environ)
            resources.push_async_callback(database.aclose)
            opening = opened_limits(Settings(data=tmp_path), limits_environ, database)
            found.append(await resources.enter_async_context(opening))
        yield found[0], found[1]


async def admit(
    store: LimitStore,
    scopes: dict[str, Limits],
    name: str,
    *,
    tokens: int = 1,
    lease: float = 60,
    queue: bool = True,
    now: float = 0,
) -> Wait | None:
    return await store.admit(scopes, place=name, turn=name, tokens=tokens, lease=lease, queue=queue, now=now)


async def test_at_once_no_more_go_than_there_are_places_however_many_ask(stores: tuple[LimitStore, LimitStore]) -> None:
    asking = [admit(stores[n % 2], FIVE, f"c{n}", queue=False) for n in range(40)]
    assert sum(found is None for found in await asyncio.gather(*asking)) == 5


async def test_the_next_attempt_of_a_killed_call_takes_its_place_over(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    scopes = {"model/m": Limits(concurrency=1)}
    assert await admit(one, scopes, "call", lease=60) is None
    assert await admit(other, scopes, "call", lease=60, now=5) is None
    assert await admit(one, scopes, "another", queue=False, now=6) is not None
    await other.settle(scopes, place="call", admitted=5, lease=60, tokens=0)
    assert await admit(one, scopes, "another", now=7) is None


async def test_an_attempt_that_ends_late_leaves_the_next_one_its_place(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    scopes = {"model/m": Limits(concurrency=1, tokens_per_minute=100, throttle_at=1)}
    # Times as they are, which a store must give back to the last digit; the clock of the next one's host goes behind.
    early, late = 1_789_000_000.1234567, 1_789_000_000.7654321
    assert await admit(one, scopes, "call", tokens=40, lease=60.3, now=late) is None
    assert await admit(other, scopes, "call", tokens=40, lease=60.3, now=early) is None
    await one.settle(scopes, place="call", admitted=late, lease=60.3, tokens=-40)
    waiting = await admit(one, scopes, "another", tokens=60, queue=False, now=late + 1)
    assert waiting is not None
    assert "1 of 1 requests" in waiting.why
    await other.settle(scopes, place="call", admitted=early, lease=60.3, tokens=0)
    assert await admit(one, scopes, "another", tokens=60, now=late + 2) is None


async def test_no_sixty_seconds_hold_more_than_a_minute_allows(stores: tuple[LimitStore, LimitStore]) -> None:
    scopes = {"model/m": Limits(requests_per_minute=20)}
    early = [await admit(stores[0], scopes, f"a{n}", queue=False, now=0.9) for n in range(20)]
    late = [await admit(stores[1], scopes, f"b{n}", queue=False, now=60.5) for n in range(20)]
    assert [found is None for found in early].count(True) == 16
    assert [found is None for found in late].count(True) == 0
    assert await admit(stores[1], scopes, "c", queue=False, now=61) is None


async def test_a_place_is_free_again_after_its_call_or_after_its_lease(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    scopes = {"model/m": Limits(concurrency=1)}
    assert await admit(one, scopes, "a", lease=60) is None
    assert await admit(other, scopes, "b", queue=False) is not None
    await one.settle(scopes, place="a", admitted=0, lease=60, tokens=0)
    assert await admit(other, scopes, "b", lease=10, now=1) is None
    assert await admit(one, scopes, "c", queue=False, now=10.9) is not None
    assert await admit(one, scopes, "c", now=11) is None


async def test_rates_are_counted_over_all_and_leave_the_window_with_time(stores: tuple[LimitStore, LimitStore]) -> None:
    scopes = {"provider/p": Limits(requests_per_minute=10, throttle_at=1)}
    asking = [admit(stores[n % 2], scopes, f"c{n}", queue=False, now=100) for n in range(20)]
    found = await asyncio.gather(*asking)
    assert sum(one is None for one in found) == 10
    assert {one.seconds for one in found if one} == {61}
    assert await admit(stores[0], scopes, "late", queue=False, now=159.9) is not None
    assert await admit(stores[1], scopes, "late", now=161) is None


async def test_tokens_are_corrected_by_what_the_call_used(stores: tuple[LimitStore, LimitStore]) -> None:
    scopes = {"model/m": Limits(tokens_per_hour=100, throttle_at=1)}
    one, other = stores
    assert await admit(one, scopes, "a", tokens=90) is None
    assert await admit(other, scopes, "b", tokens=20, queue=False, now=1) is not None
    await one.settle(scopes, place="a", admitted=0, lease=60, tokens=-50)
    assert await admit(other, scopes, "b", tokens=20, now=2) is None
    await other.settle(scopes, place="b", admitted=2, lease=60, tokens=30)
    assert await admit(one, scopes, "c", tokens=20, queue=False, now=3) is not None


async def test_who_has_waited_longer_goes_first(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    scopes = {"model/m": Limits(concurrency=1)}
    await admit(one, scopes, "running")
    for number, name in enumerate(("first", "second")):
        assert await admit(other, scopes, name, now=1 + number) is not None
    await one.settle(scopes, place="running", admitted=0, lease=60, tokens=0)
    assert await admit(one, scopes, "late", now=3) is not None
    assert await admit(other, scopes, "second", now=3) is not None
    assert await admit(other, scopes, "first", now=3.5) is None
    await other.settle(scopes, place="first", admitted=3.5, lease=60, tokens=0)
    assert await admit(one, scopes, "late", now=4) is not None
    assert await admit(other, scopes, "second", now=4) is None


async def test_who_does_not_come_back_loses_the_turn(stores: tuple[LimitStore, LimitStore]) -> None:
    one, _ = stores
    scopes = {"model/m": Limits(concurrency=1)}
    await admit(one, scopes, "running", lease=10)
    told = await admit(one, scopes, "gone", now=5)
    assert told is not None
    assert await admit(one, scopes, "next", queue=False, now=12) is not None
    assert await admit(one, scopes, "next", now=5 + told.seconds + GRACE) is None


async def test_who_goes_elsewhere_holds_up_nobody(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    here, there = {"provider/p/here": Limits(concurrency=1)}, {"provider/p/there": Limits(concurrency=1)}
    assert await admit(one, here, "running", lease=10) is None
    assert await admit(one, here, "first", now=5) is not None
    assert await admit(other, here, "second", queue=False, now=11) is not None
    assert await admit(one, there, "first", now=11) is None
    await one.forgo(here, turn="first")
    assert await admit(other, here, "second", queue=False, now=11) is None


async def test_all_scopes_are_taken_or_none(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    narrow = {"model/m": Limits(concurrency=1)}
    both = {**narrow, "provider/p": Limits(concurrency=2)}
    assert await admit(one, both, "a") is None
    assert await admit(other, both, "b", queue=False) is not None
    assert await admit(other, {"provider/p": both["provider/p"]}, "c") is None


async def test_without_limits_nothing_is_counted(stores: tuple[LimitStore, LimitStore]) -> None:
    assert await admit(stores[0], {"model/m": Limits()}, "a") is None


async def test_a_place_that_is_renewed_is_held_on_and_one_that_is_not_is_lost(
    stores: tuple[LimitStore, LimitStore],
) -> None:
    one, other = stores
    scopes = {"key/a": Limits(concurrency=1)}
    assert await admit(one, scopes, "a", lease=10) is None
    await one.renew("key/a", place="a", until=20)
    assert await admit(other, scopes, "b", queue=False, now=19.9) is not None
    assert await admit(other, scopes, "b", now=20) is None
    await one.renew("key/a", place="a", until=100)
    await other.settle(scopes, place="b", admitted=20, lease=60, tokens=0)
    assert await admit(other, scopes, "c", queue=False, now=50) is not None


async def test_what_is_used_of_a_window_can_be_read(stores: tuple[LimitStore, LimitStore]) -> None:
    one, other = stores
    scopes = {"key/a": Limits(requests_per_minute=5, throttle_at=1)}
    for now in (100.5, 100.9, 103.0):
        assert await admit(one, scopes, str(now), tokens=7, now=now) is None
    assert await other.used("key/a", 1, 103) == (Slot(100, 2, 14), Slot(103, 1, 7))
    assert await other.used("key/a", 1, 161) == (Slot(103, 1, 7),)
    assert await other.used("key/b", 1, 103) == ()
