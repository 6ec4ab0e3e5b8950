import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from continuo.jobs import CallRecord, Outcome
from continuo.messages import Usage
from continuo.stores.cache import FLIGHT, Cache, Found, Place, open_cache
from continuo.stores.database import Operation
from continuo.stores.vectors import packed


def place(key: str, holder: str = "me", *, scope: str = "scope", tenant: str = "acme") -> Place:
    return Place(key=key, scope=scope, family="family", tenant=tenant, pattern="support", holder=holder)


def answer(text: str) -> Outcome:
    return Outcome(text=text, served_by="model")


@pytest.fixture
async def caches(tmp_path: Path) -> AsyncIterator[tuple[Cache, Cache]]:
    """Two processes' views of one file."""
    databases = [open_cache(tmp_path / "cache.db") for _ in range(2)]
    yield Cache(databases[0]), Cache(databases[1])
    for database in databases:
        await database.aclose()


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
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT - 1) == Found(wait=True)
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Found(wait=True, overdue="a")
    await other.extend(place("k", "a"), now=FLIGHT)
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Found(wait=True)
    await other.land(place("k", "a"))
    assert await other.look_up(place("k", "b"), take_off=True, now=FLIGHT) == Found()


async def test_who_does_not_take_off_leaves_the_way_free(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    assert not (await one.look_up(place("k", "a"), take_off=False, now=0)).wait
    assert not (await other.look_up(place("k", "b"), take_off=True, now=0)).wait


async def test_the_nearest_meaning_of_the_family_is_found_if_it_is_near_enough(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    for key, vector in {"east": [2.0, 0.0], "north": [0.0, 3.0]}.items():
        await one.look_up(place(key), take_off=True, now=0)
        await one.similar(place(key), packed(vector), 0.9, now=0)
        await one.keep(place(key), answer(key), ttl=10, max_size=10, now=0)

    async def near(vector: list[float], now: float = 1) -> str | None:
        found = await other.similar(place("new"), packed(vector), 0.9, now=now)
        return found.outcome.text if found.outcome else None

    assert await near([1.0, 0.1]) == "east"
    assert await near([-0.1, 1.0]) == "north"
    assert await near([1.0, 1.0]) is None
    assert await near([1.0, 0.1, 0.0]) is None
    assert await near([1.0, 0.1], now=10) is None
    await one.invalidate("east")
    assert await near([1.0, 0.1]) is None


async def test_a_broken_file_is_replaced_by_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"not a database at all" * 1000)
    database = open_cache(path)
    assert (await Cache(database).look_up(place("k"), take_off=True, now=0)).outcome is None
    await database.aclose()


async def test_a_broken_file_that_several_find_at_once_is_replaced_once(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"not a database at all" * 1000)
    opened = await asyncio.gather(*(asyncio.to_thread(open_cache, path) for _ in range(4)))
    await Cache(opened[0]).keep(place("k"), answer("x"), ttl=10, max_size=10, now=0)
    for database in opened:
        assert len(Cache(database).entries(None, 1)) == 1
        await database.aclose()


async def test_a_file_that_is_whole_is_left_alone_even_if_it_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with closing(sqlite3.connect(path)) as somebodys:
        somebodys.execute("CREATE TABLE entries (precious TEXT)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        open_cache(path)
    with closing(sqlite3.connect(path)) as somebodys:
        assert somebodys.execute("SELECT precious FROM entries").fetchall() == []


async def test_an_answer_is_found_even_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_cache(tmp_path / "cache.db")
    cache = Cache(database)
    await cache.keep(place("k"), answer("x"), ttl=10, max_size=10, now=0)

    async def full(operation: Operation) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "write", full)
    assert (await cache.look_up(place("k"), take_off=True, now=1)).outcome
    await database.aclose()


async def test_entries_are_listed_and_cleared_by_tenant(caches: tuple[Cache, Cache]) -> None:
    one, _ = caches
    for key, tenant in {"a": "acme", "b": "acme", "c": "globex"}.items():
        await one.keep(place(key, tenant=tenant), answer(key), ttl=10, max_size=10, now=0)
    assert [row["key"] for row in one.entries(None, 1)] == ["a", "b", "c"]
    assert [row["key"] for row in one.entries("globex", 1)] == ["c"]
    assert await one.clear("acme") == 2
    assert await one.invalidate("c")
    assert not await one.invalidate("c")
    assert await one.clear(None) == 0


class LeastRecentlyUsed(RuleBasedStateMachine):
    """The cache beside a dictionary that does the same by hand. One second passes with each step."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.database = open_cache(Path(self.folder.name) / "cache.db")
        self.cache = Cache(self.database)
        self.model: dict[tuple[str, str], tuple[float, float]] = {}
        self.now = 0.0

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

    @invariant()
    def the_same_is_kept(self) -> None:
        self.forget()
        kept = {row["key"] for row in self.cache.entries(None, self.now)}
        assert kept == {f"{scope}/{key}" for scope, key in self.model}

    def forget(self) -> None:
        self.model = {name: times for name, times in self.model.items() if times[0] > self.now}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.aclose())
        self.loop.close()
        self.folder.cleanup()


LeastRecentlyUsed.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestLeastRecentlyUsed = LeastRecentlyUsed.TestCase
