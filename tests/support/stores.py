"""The SQL stores that tests run on: a file, and a real PostgreSQL server."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import psycopg

from continuo.jobs import CallRecord, Context, Outcome
from continuo.stores.database import Database, Row
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from continuo.testing.processes import kill, python, running
from continuo.workers.local.processes import Child

POSTGRES_URL = "CONTINUO_TEST_DATABASE_URL"
"""The environment may point the tests at a server of one's own; all in its schema `continuo_test` is dropped."""


async def ledger(database: Database) -> list[Row]:
    """Every row, oldest first."""
    return await database.read("SELECT * FROM ledger ORDER BY time, identity")


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    """The URL of a PostgreSQL server, one of its own in `folder` unless the environment names another."""
    if url := os.environ.get(POSTGRES_URL):
        yield url
        return
    async with running(postgres_server(folder)) as child:
        yield child.ready_line


def postgres_server(folder: Path) -> Child:
    """A PostgreSQL server of its own in `folder`, not yet started; its ready line is its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    return python("tests.support.postgres_server", str(folder), ready="postgresql://", log=folder / "postgres.log")


async def kill_postgres(server: Child, folder: Path) -> None:
    """SIGKILL for the server in `folder`, which can then be started again."""
    data = folder / "data"
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    await kill(server)
    # Where nobody reaps the dead, these would name a process that seems to live.
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock", ".handle_pids.json"):
        (data / name).unlink(missing_ok=True)


async def emptied(url: str) -> str:
    """The URL of an empty schema on that server."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("DROP SCHEMA IF EXISTS continuo_test CASCADE")
        await connection.execute("CREATE SCHEMA continuo_test")
    return _in_schema(url)


async def cleared(url: str) -> str:
    """The URL of that schema with whatever tables it has and no row in them: to make them anew takes much longer."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS continuo_test")
        await connection.execute(_CLEAR)
    return _in_schema(url)


_CLEAR = """
DO $$ DECLARE name TEXT; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'continuo_test' AND tablename <> 'continuo_schema'
    LOOP EXECUTE format('DELETE FROM continuo_test.%I', name); END LOOP;
END $$
"""


def _in_schema(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dcontinuo_test"


async def record(
    journal: Journal, identity: str, outcome: Outcome, context: Context, today: date, question: str | None = None
) -> None:
    """Keep an answer of one attempt, as the activity that calls a model does."""
    paid = Paid(record=outcome.calls[0], context=context, simulated=outcome.simulated)
    await journal.settle(
        Settlement(identity=identity, attempt=1, today=today, paid=paid, outcome=outcome, question=question)
    )


async def charge(
    journal: Journal, identity: str, attempt: int, record: CallRecord, context: Context, today: date
) -> None:
    """Keep what an attempt without an answer came to."""
    paid = Paid(record=record, context=context)
    await journal.settle(Settlement(identity=identity, attempt=attempt, today=today, paid=paid))


async def release(journal: Journal, identity: str, attempt: int) -> None:
    """Give back what an attempt that cost nothing has reserved."""
    await journal.settle(Settlement(identity=identity, attempt=attempt, today=date(2026, 11, 21)))
