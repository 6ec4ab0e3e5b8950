import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.stores.database import Connection, Database
from continuo.stores.migrations import STORE
from continuo.stores.opened import open_store
from continuo.stores.sqlite.database import Sqlite
from tests.support.stores import emptied


async def test_whatever_an_operation_raises_reaches_its_caller_and_the_next_one_is_done(database: Database) -> None:
    def wrong(connection: Connection) -> None:
        connection.execute("INSERT INTO breakers VALUES ('openai', 1, '')")
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        await asyncio.wait_for(database.write(wrong), 5)
    assert await database.read("SELECT * FROM breakers") == []
    await asyncio.wait_for(database.write(lambda c: c.execute("INSERT INTO breakers VALUES ('groq', 1, '')")), 5)
    assert await database.read("SELECT provider FROM breakers WHERE version = ?", (1,)) == [{"provider": "groq"}]


async def test_a_store_is_brought_up_to_date_once_by_however_many_open_it(
    store_environ: dict[str, str], tmp_path: Path
) -> None:
    if url := store_environ.get("DATABASE_URL"):
        await emptied(url)
    opening = (asyncio.to_thread(open_store, Settings(data=tmp_path), store_environ) for _ in range(4))
    for database in await asyncio.gather(*opening):
        assert await database.read("SELECT * FROM accounts") == []
        await database.aclose()


async def test_a_new_file_in_which_another_process_is_writing_is_opened_when_it_is_free(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "continuo.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(asyncio.to_thread(Sqlite, tmp_path / "continuo.db", STORE))
        ended, _ = await asyncio.wait([opening], timeout=0.2)
        assert not ended
        other.execute("COMMIT")
        database = await opening
    assert await database.read("SELECT * FROM accounts") == []
    await database.aclose()


async def test_what_an_earlier_version_wrote_is_carried_forward(tmp_path: Path) -> None:
    path = tmp_path / "continuo.db"
    row = ("run/1", "2026-11-20T23:00:00+00:00", "acme", None, "p", "", "m", "p", "ok", 1, 1, 0, 0, 1, 1500)
    old = Sqlite(path, STORE[:1])
    await old.write(lambda connection: connection.execute(f"INSERT INTO ledger VALUES ({', '.join('?' * 15)})", row))
    await old.aclose()
    new = Sqlite(path, STORE)
    assert await new.read("SELECT * FROM accounts") == [{"tenant": "acme", "day": "2026-11-20", "spent_nanousd": 1500}]
    await new.aclose()


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "continuo.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(InputError, match=r"the store has version 99, .* use a newer Continuo"):
        open_store(Settings(data=tmp_path), {})


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/continuo", "postgresql://[", "gopher://"])
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^DATABASE_URL") as raised:
        open_store(Settings(data=tmp_path), {"DATABASE_URL": url.replace("//", "//ada:secret@")})
    assert "secret" not in str(raised.value)


async def test_a_postgres_that_restarts_is_waited_for(postgres_url: str, tmp_path: Path) -> None:
    database = open_store(Settings(data=tmp_path), {"DATABASE_URL": postgres_url})
    await database.read("SELECT 1")
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        # What a restart does to every connection.
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        await connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert await database.read("SELECT 2 AS two") == [{"two": 2}]
    await database.aclose()
