"""Answers found by meaning, in a file and in Redis."""

import asyncio

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import Outcome
from continuo.stores import vectors
from continuo.stores.cache import Cache, Place
from continuo.stores.vectors import Family, StoredEmbedding, packed

NEAR = 0.9


async def keep(cache: Cache, key: str, vector: list[float], family: str = "family", ttl: float = 10) -> None:
    place = of(key, family)
    await cache.look_up(place, take_off=True, now=0)
    await cache.similar(place, packed(vector), 1, now=0)
    await cache.keep(place, Outcome(text=key, served_by="model"), ttl=ttl, max_size=100, now=0)


async def nearest(cache: Cache, vector: list[float], now: float = 1, family: str = "family") -> str | None:
    found = await cache.similar(of("new", family), packed(vector), NEAR, now)
    return found.outcome.text if found.outcome else None


def of(key: str, family: str) -> Place:
    return Place(key=key, scope="scope", family=family, tenant="acme", pattern="support", holder="me")


async def test_the_nearest_of_the_same_length_is_found_if_it_is_near_enough(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    await keep(one, "east", [2, 0])
    await keep(one, "north", [0, 3])
    asked: list[list[float]] = [[1, 0.1], [-0.1, 1], [1, 1], [1, 0.1, 0]]
    assert [await nearest(other, vector) for vector in asked] == ["east", "north", None, None]


async def test_what_others_add_and_drop_is_seen_at_the_next_look(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    assert await nearest(one, [1, 0]) is None
    await keep(other, "near", [1, 0.1])
    assert await nearest(one, [1, 0]) == "near"
    await keep(other, "nearer", [1, 0.01])
    assert await nearest(one, [1, 0]) == "nearer"
    await other.invalidate("nearer")
    assert await nearest(one, [1, 0]) == "near"
    await other.clear(None)
    assert await nearest(one, [1, 0]) is None


async def test_an_answer_whose_time_is_over_gives_way_to_the_next_nearest(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    await keep(one, "short", [1, 0], ttl=5)
    await keep(one, "long", [1, 0.1], ttl=10)
    assert [await nearest(other, [1, 0], now) for now in (4, 5, 10)] == ["short", "long", None]


async def test_only_the_newest_are_compared(caches: tuple[Cache, Cache], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MOST", 3)
    early, late = caches
    axes = [[float(axis == number) for axis in range(4)] for number in range(4)]
    for number, vector in enumerate(axes):
        await keep(early, f"k{number}", vector)
        await nearest(early, axes[0])
    for cache in (early, late):
        assert [await nearest(cache, vector) for vector in axes] == [None, "k1", "k2", "k3"]


async def test_families_that_had_to_leave_the_memory_are_read_again(
    caches: tuple[Cache, Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = caches
    monkeypatch.setattr(vectors, "KEPT", 2)
    for number in range(4):
        await keep(one, f"k{number}", [1, 0], family=f"f{number}")
    for _ in range(2):
        found = [await nearest(other, [1, 0], family=f"f{number}") for number in range(4)]
        assert found == ["k0", "k1", "k2", "k3"]


async def test_many_that_ask_at_once_all_find_it(caches: tuple[Cache, Cache]) -> None:
    one, other = caches
    await keep(one, "k", [1, 0])
    assert await asyncio.gather(*(nearest(other, [1, 0]) for _ in range(20))) == ["k"] * 20


NUMBERS = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3)


@given(st.lists(NUMBERS, max_size=30), NUMBERS, st.floats(0.1, 1))
def test_what_is_like_it_is_what_the_cosine_says(rows: list[list[float]], asked: list[float], threshold: float) -> None:
    family = Family(12)
    family.add(StoredEmbedding(number, str(number), packed(row)) for number, row in enumerate(rows))
    found = dict(family.like(packed(asked), threshold))
    cosines = [float(numpy.frombuffer(packed(row), "f4") @ numpy.frombuffer(packed(asked), "f4")) for row in rows]
    # The last digits of a product depend on how many are computed at once.
    assert set(found) >= {number for number, cosine in enumerate(cosines) if cosine > threshold + 1e-5}
    assert set(found) <= {number for number, cosine in enumerate(cosines) if cosine > threshold - 1e-5}
    order = [cosines[number] for number in found]
    assert order == pytest.approx(sorted(order, reverse=True), abs=1e-5)
