"""What passes by itself is told apart from a bug, concerns nobody else, and leaves nothing behind."""

import asyncio
import gc
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from continuo.stores.database import Connection, Database, StoreUnavailable
from continuo.stores.migrations import STORE
from continuo.stores.sqlite import database as sqlite
from continuo.stores.sqlite.database import CHECKPOINT, Sqlite


def publish(name: str, size: int = 1) -> Callable[[Connection], None]:
    def write(connection: Connection) -> None:
        connection.execute("INSERT INTO breakers VALUES (?, 1, ?)", (name, "x" * size))

    return write


async def published(database: Database) -> list[str]:
    return [row["provider"] for row in await database.read("SELECT provider FROM breakers ORDER BY provider")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "continuo.db"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(path: Path) -> Iterator[None]:
    """No file of this process grows beyond what the log has now and a little more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(f"{path.name}-wal").stat().st_size + 20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durable", [True, False])
async def test_each_of_many_in_one_transaction_has_its_own_result(database: Database, durable: bool) -> None:
    await database.write(publish("taken"))
    names = ["a", "taken", "b", "c"]
    results = await asyncio.gather(
        *(database.write(publish(name), durable=durable) for name in names), return_exceptions=True
    )
    assert [type(result) for result in results if result] in (
        [sqlite3.IntegrityError],
        [psycopg.errors.UniqueViolation],
    )
    assert isinstance(results[1], Exception)
    assert await published(database) == ["a", "b", "c", "taken"]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_full_disk_is_told_as_such_and_the_store_works_when_it_has_room(path: Path, durable: bool) -> None:
    database = Sqlite(path, STORE)
    await database.write(publish("before"))
    with full(path):
        writes = [database.write(publish(f"big{n}", 100_000), durable=durable) for n in range(2)]
        writes.append(database.write(publish("small"), durable=True))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(result) for result in results] == [StoreUnavailable, StoreUnavailable, type(None)]
        assert await published(database) == ["before", "small"]
    await database.write(publish("later", 100_000), durable=durable)
    assert await published(database) == ["before", "later", "small"]
    await database.aclose()


@pytest.mark.parametrize("durable", [True, False])
async def test_a_locked_store_is_told_as_such_and_works_when_it_is_free(
    path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)
    database = Sqlite(path, STORE)
    with locked(path):
        with pytest.raises(StoreUnavailable, match="locked"):
            await database.write(publish("a"), durable=durable)
        assert await published(database) == []
    await database.write(publish("a"), durable=durable)
    assert await published(database) == ["a"]
    await database.aclose()


async def test_a_commit_that_fails_leaves_no_transaction_open(path: Path) -> None:
    database = Sqlite(
        path,
        (
            "CREATE TABLE up (n INTEGER PRIMARY KEY); CREATE TABLE down (n INTEGER REFERENCES up"
            " DEFERRABLE INITIALLY DEFERRED)",
        ),
    )
    database._writer.execute("PRAGMA foreign_keys=ON")
    for durable in (True, False):
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            await database.write(lambda c: c.execute("INSERT INTO down VALUES (99)").rowcount, durable=durable)
        await database.write(lambda c: c.execute("INSERT INTO up VALUES (NULL)").rowcount, durable=durable)
    assert await database.read("SELECT COUNT(*) AS n FROM down") == [{"n": 0}]
    await database.aclose()


async def test_the_error_of_an_operation_is_told_even_where_it_cannot_be_undone(path: Path) -> None:
    database = Sqlite(path, STORE)

    def ends_it(connection: Connection) -> None:
        connection.execute("ROLLBACK")
        raise LookupError("the real one")

    for durable in (True, False):
        with pytest.raises(LookupError, match="the real one"):
            await database.write(ends_it, durable=durable)
    await database.aclose()


async def test_a_file_that_another_has_to_itself_is_read_when_it_is_free(path: Path) -> None:
    database = Sqlite(path, STORE)
    await database.aclose()
    owner = sqlite3.connect(path, isolation_level=None)
    owner.execute("PRAGMA locking_mode=EXCLUSIVE")
    owner.execute("BEGIN IMMEDIATE")
    owner.execute("INSERT INTO breakers VALUES ('owner', 1, '')")
    owner.execute("COMMIT")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "PATIENCE", 0.1)
        with pytest.raises(StoreUnavailable):
            Sqlite(path, STORE)
    owner.close()
    database = Sqlite(path, STORE)
    assert await published(database) == ["owner"]
    await database.aclose()


async def test_a_caller_that_was_cancelled_leaves_no_complaint(database: Database) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    writing = asyncio.create_task(database.write(lambda connection: connection.execute("INSERT INTO nowhere")))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await database.write(publish("later"))
    await database.write(publish("last"))
    del writing
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


async def test_the_log_is_moved_into_the_file_on_the_thread_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Sqlite(path, STORE)
    log = path.with_name(f"{path.name}-wal")
    grown = 0
    for n in range(120):
        size = log.stat().st_size
        quick = size < CHECKPOINT
        before = path.stat().st_size
        await database.write(publish(f"{n:03}", 100_000), durable=False)
        assert not quick or path.stat().st_size == before, "a quick write moved the log"
        grown = max(grown, log.stat().st_size)
    assert grown < 2 * CHECKPOINT
    assert path.stat().st_size > CHECKPOINT
    await database.aclose()
