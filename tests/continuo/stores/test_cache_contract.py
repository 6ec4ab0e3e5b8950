"""What a cache is, in a file and in Redis."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from continuo.config.settings import Settings
from continuo.jobs import CallRecord, Outcome
from continuo.messages import Usage
from continuo.stores.cache import FLIGHT, Cache, Lookup, Place
from continuo.stores.opened import open_cache


def place(key: str, holder: str = "me", *, scope: str = "scope", tenant: str = "acme") -> Place:
    return Place(key=key, scope=scope, family="family", tenant=tenant, pattern="support", holder=holder)


def answer(text: str) -> Outcome:
    return Outcome(text=text, served_by="model")


async def test_an_answer_is_kept_without_what_it_took(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    call = CallRecord(path="miss", model="m", status="ok", usage=Usage(input_tokens=1), cost_usd=0.5)
    full = answer("x").model_copy(update={"calls": (call,), "cost_usd": 0.5, "latency_ms": 1.0, "workflow_id": "w"})
    await one.keep(place("k"), full, ttl=10, max_size=10, now=0)
    found = (await other.look_up(place("k"), take_off=True, now=9)).outcome
    assert found == Outcome(text="x", served_by="cache", saved_usd=0.5, cost_usd=0.0)
    assert (await other.look_up(place("k"), take_off=True, now=10)).outcome is None


async def test_one_of_many_takes_off_and_the_others_wait_until_it_lands(caches: tuple[Cache, Cache]) -> None:
    looks = [cache.look_up(place("k", str(n)), take_off=True, now=0) for n in range(10) for cache in caches]
    found = await asyncio.gather(*looks)
    assert sorted(one.wait for one in found) == [False, False] + [True] * 18
    [holder] = {str(n // 2) for n, one in enumerate(found) if not one.wait}
    await caches[0].land(place("k", holder))
    assert not (await caches[1].look_up(place("k", "late"), take_off=True, now=1)).wait


async def test_the_same_run_that_asks_again_still_flies_and_only_it_can_land(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    assert not (await one.look_up(place("k", "a"), take_off=True, now=0)).wait
    assert not (await other.look_up(place("k", "a"), take_off=True, now=1)).wait
    await other.land(place("k", "b"))
    assert (await other.look_up(place("k", "b"), take_off=True, now=1)).wait


async def test_a_flight_is_overdue_after_its_time_and_who_waits_learns_whose_it_is(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    await one.look_up(place("k", "a"), take_off=True, now=0)
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT - 1) == Lookup(wait=True)
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Lookup(wait=True, overdue="a")
    await other.extend(place("k", "a"), now=FLIGHT)
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Lookup(wait=True)
    await other.land(place("k", "a"))
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Lookup()


async def test_who_does_not_take_off_leaves_the_way_free(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    assert not (await one.look_up(place("k", "a"), take_off=False, now=0)).wait
    assert not (await other.look_up(place("k", "b"), take_off=True, now=0)).wait


async def test_entries_are_listed_and_cleared_by_tenant(caches: tuple[Cache, Cache]) -> None:
    one, _ = caches
    for key, tenant in {"a": "acme", "b": "acme", "c": "globex"}.items():
        await one.keep(place(key, tenant=tenant), answer(key), ttl=10, max_size=10, now=0)
    assert [row["key"] for row in await one.entries(None, 1)] == ["a", "b", "c"]
    await one.look_up(place("b"), take_off=False, now=2)
    assert [row["key"] for row in await one.entries("acme", 3)] == ["b", "a"]
    [row] = await one.entries("globex", 1)
    assert Outcome.model_validate_json(row["outcome"]).text == "c"
    columns = {"tenant": "globex", "pattern": "support", "stored": 0, "expires": 10, "used": 0, "hits": 0}
    assert {**row, **columns} == row
    assert await one.clear("acme") == 2
    assert await one.invalidate("c")
    assert not await one.invalidate("c")
    assert await one.clear(None) == 0


async def test_what_is_over_is_pruned_and_nothing_else(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    for number in range(5):
        await one.keep(place(str(number)), answer("x"), ttl=10 + number, max_size=10, now=0)
    await one.look_up(place("under way"), take_off=True, now=0)
    assert [await other.prune(now=12, dry_run=dry) for dry in (True, True, False, False)] == [3, 3, 3, 0]
    assert [row["key"] for row in await one.entries(None, 0)] == ["3", "4"]
    assert (await one.look_up(place("under way", "b"), take_off=True, now=1)).wait


@pytest.mark.parametrize("cache_environ", ["sqlite", "redis"], indirect=True)
async def test_what_several_processes_look_for_one_of_them_does(cache_environ: dict[str, str], tmp_path: Path) -> None:
    keys = [str(number) for number in range(50)]
    with ProcessPoolExecutor(2, get_context("forkserver")) as processes:
        looks = [processes.submit(taken_off, tmp_path, cache_environ, str(holder), keys) for holder in range(2)]
        taken = [key for look in looks for key in look.result(60)]
    assert sorted(taken) == sorted(keys)


def taken_off(data: Path, environ: dict[str, str], holder: str, keys: list[str]) -> list[str]:
    """In a process of its own: the keys that nobody else was under way to."""

    async def look() -> list[str]:
        cache = open_cache(Settings(data=data), environ)
        found = [await cache.look_up(place(key, holder), take_off=True, now=0) for key in keys]
        await cache.aclose()
        return [key for key, one in zip(keys, found, strict=True) if not one.wait]

    return asyncio.run(look())


class LeastRecentlyUsed(RuleBasedStateMachine):
    """The cache beside a dictionary that does the same by hand. One second passes with each step."""

    def __init__(self, another: Callable[[], Cache]) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.cache = another()
        self.model: dict[tuple[str, str], tuple[float, float]] = {}
        self.now = 0.0
        self.run(self.cache.clear(None))

    def run(self, work: Any) -> Any:
        self.now += 1
        return self.loop.run_until_complete(work)

    def at(self, scope: str, key: str) -> Place:
        return place(f"{scope}/{key}", scope=scope)

    @rule(scope=st.sampled_from("st"), key=st.sampled_from("abcde"), ttl=st.integers(1, 20))
    def keep(self, scope: str, key: str, ttl: int) -> None:
        self.run(self.cache.keep(self.at(scope, key), answer(key), ttl=ttl, max_size=3, now=self.now + 1))
        self.model[scope, key] = (self.now + ttl, self.now)
        self.forget()
        kept = sorted((used, name) for (owner, name), (_, used) in self.model.items() if owner == scope)
        for _, name in kept[:-3]:
            del self.model[scope, name]

    @rule(scope=st.sampled_from("st"), key=st.sampled_from("abcde"))
    def look_up(self, scope: str, key: str) -> None:
        found = self.run(self.cache.look_up(self.at(scope, key), take_off=False, now=self.now + 1))
        self.forget()
        assert (found.outcome is not None) == ((scope, key) in self.model)
        if (scope, key) in self.model:
            self.model[scope, key] = (self.model[scope, key][0], self.now)

    @rule(scope=st.sampled_from("st"), key=st.sampled_from("abcde"))
    def invalidate(self, scope: str, key: str) -> None:
        self.forget()
        known = (scope, key) in self.model
        dropped = self.run(self.cache.invalidate(f"{scope}/{key}"))
        assert dropped or not known
        self.model.pop((scope, key), None)

    @rule()
    def prune(self) -> None:
        self.run(self.cache.prune(now=self.now + 1, dry_run=False))

    @invariant()
    def the_same_is_kept(self) -> None:
        self.forget()
        kept = {row["key"] for row in self.loop.run_until_complete(self.cache.entries(None, self.now))}
        assert kept == {f"{scope}/{key}" for scope, key in self.model}

    def forget(self) -> None:
        self.model = {name: times for name, times in self.model.items() if times[0] > self.now}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.cache.aclose())
        self.loop.close()


def test_what_is_kept_is_what_was_used_last_and_is_not_over(another: Callable[[], Cache]) -> None:
    steps = settings(max_examples=20, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(partial(LeastRecentlyUsed, another), settings=steps)  # type: ignore[arg-type]
