from collections.abc import AsyncIterator
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import Outcome
from continuo.stores import vectors
from continuo.stores.cache import Cache, Place, open_cache
from continuo.stores.database import Database
from continuo.stores.vectors import Family, Vectors, packed

NEAR = 0.9


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = open_cache(tmp_path / "cache.db")
    yield found
    await found.aclose()


async def keep(database: Database, key: str, vector: list[float], family: str = "family", ttl: float = 10) -> None:
    place = Place(key=key, scope="scope", family=family, tenant="acme", pattern="support", holder="me")
    cache = Cache(database)
    await cache.look_up(place, take_off=True, now=0)
    await cache.similar(place, packed(vector), 1, now=0)
    await cache.keep(place, Outcome(text=key, served_by="model"), ttl=ttl, max_size=100, now=0)


async def test_what_others_add_and_drop_is_seen_at_the_next_look(database: Database, tmp_path: Path) -> None:
    other = open_cache(tmp_path / "cache.db")
    known = Vectors(database)
    assert known.nearest("family", packed([1, 0]), NEAR, 1) is None
    await keep(other, "near", [1, 0.1])
    assert known.nearest("family", packed([1, 0]), NEAR, 1) == "near"
    await keep(other, "nearer", [1, 0.01])
    assert known.nearest("family", packed([1, 0]), NEAR, 1) == "nearer"
    await Cache(other).invalidate("nearer")
    assert known.nearest("family", packed([1, 0]), NEAR, 1) == "near"
    await Cache(other).clear(None)
    assert known.nearest("family", packed([1, 0]), NEAR, 1) is None
    await other.aclose()


async def test_an_answer_whose_time_is_over_gives_way_to_the_next_nearest(database: Database) -> None:
    await keep(database, "short", [1, 0], ttl=5)
    await keep(database, "long", [1, 0.1], ttl=10)
    known = Vectors(database)
    assert [known.nearest("family", packed([1, 0]), NEAR, now) for now in (4, 5, 10)] == ["short", "long", None]


async def test_only_the_newest_are_compared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MOST", 3)
    early = Vectors(database)
    for number in range(4):
        await keep(database, f"k{number}", [float(axis == number) for axis in range(4)])
        early.nearest("family", packed([1, 0, 0, 0]), NEAR, 1)
    for known in (early, Vectors(database)):
        asked = [packed([float(axis == number) for axis in range(4)]) for number in range(4)]
        assert [known.nearest("family", one, NEAR, 1) for one in asked] == [None, "k1", "k2", "k3"]


async def test_families_that_had_to_leave_the_memory_are_read_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "KEPT", 2)
    for number in range(4):
        await keep(database, f"k{number}", [1, 0], family=f"f{number}")
    known = Vectors(database)
    for _ in range(2):
        assert [known.nearest(f"f{n}", packed([1, 0]), NEAR, 1) for n in range(4)] == ["k0", "k1", "k2", "k3"]


NUMBERS = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3)


@given(st.lists(NUMBERS, max_size=30), NUMBERS, st.floats(0.1, 1))
def test_what_is_like_it_is_what_the_cosine_says(rows: list[list[float]], asked: list[float], threshold: float) -> None:
    family = Family(12)
    for number, row in enumerate(rows):
        family.add(number, str(number), packed(row))
    found = dict(family.like(packed(asked), threshold))
    cosines = [float(numpy.frombuffer(packed(row), "f4") @ numpy.frombuffer(packed(asked), "f4")) for row in rows]
    # The last digits of a product depend on how many are computed at once.
    assert set(found) >= {number for number, cosine in enumerate(cosines) if cosine > threshold + 1e-5}
    assert set(found) <= {number for number, cosine in enumerate(cosines) if cosine > threshold - 1e-5}
    order = [cosines[number] for number in found]
    assert order == pytest.approx(sorted(order, reverse=True), abs=1e-5)
