"""What only a file can suffer."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from continuo.stores.sqlite.cache import open_file
from tests.continuo.stores.test_cache_contract import answer, place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


async def test_a_broken_file_that_several_find_at_once_is_replaced_once_by_an_empty_one(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)
    opened = await asyncio.gather(*(asyncio.to_thread(open_file, path) for _ in range(4)))
    assert await opened[0].entries(None, 0) == []
    await opened[0].keep(place("k"), answer("x"), ttl=10, max_size=10, now=0)
    for cache in opened:
        assert len(await cache.entries(None, 1)) == 1
        await cache.aclose()


async def test_a_file_that_is_whole_is_left_alone_even_if_it_cannot_be_used(path: Path) -> None:
    with closing(sqlite3.connect(path)) as somebodys:
        somebodys.execute("CREATE TABLE entries (precious TEXT)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        open_file(path)
    with closing(sqlite3.connect(path)) as somebodys:
        assert somebodys.execute("SELECT precious FROM entries").fetchall() == []


async def test_an_answer_is_found_even_where_nothing_can_be_written(path: Path) -> None:
    cache = open_file(path)
    await cache.keep(place("k"), answer("x"), ttl=10, max_size=10, now=0)
    with closing(sqlite3.connect(path)) as full:
        full.execute("CREATE TRIGGER full BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    assert (await cache.look_up(place("k"), take_off=True, now=1)).outcome
    await cache.aclose()
