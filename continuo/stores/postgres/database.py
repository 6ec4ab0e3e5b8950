"""PostgreSQL, shared by the workers of many hosts."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from continuo.errors import InputError
from continuo.stores.database import Connection, Cursor, Failed, Row, StoreUnavailable, kept, pending
from continuo.stores.migrations import Part

T = TypeVar("T")

CONNECTIONS = 8
"""At most, in each process."""

CONNECT_TIMEOUT = 5.0
PATIENCE = 5.0
"""Seconds in which a server that restarts, or a conflict of two transactions, is waited out."""

LOCK = 0x436F6E74
"""The advisory lock under which the tables are brought up to date; any number that nobody else uses."""


class Postgres:
    """Each operation is a transaction of its own, on a thread and a connection of a small pool.

    `migrations` are those of each part of the store. Raises `InputError` naming `DATABASE_URL` when no server answers.
    """

    def __init__(self, url: str, migrations: Mapping[Part, Sequence[str]]) -> None:
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # The driver's own message shows the whole URL, and with it the password.
            raise InputError("DATABASE_URL is no address; write postgresql://USER:PASSWORD@HOST:5432/NAME") from None
        self._pool: ConnectionPool[psycopg.Connection[DictRow]] = ConnectionPool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            open=False,
            # The pause from one attempt to the next grows, and a server that is back must not wait for a long one.
            reconnect_timeout=PATIENCE,
            kwargs={"row_factory": dict_row, "connect_timeout": int(CONNECT_TIMEOUT)},
        )
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="postgres")
        try:
            # Tried without the pool, which keeps why it cannot connect to its log.
            with psycopg.connect(url, row_factory=dict_row, connect_timeout=int(CONNECT_TIMEOUT)) as connection:
                _migrate(connection, migrations)
        except psycopg.Error as error:
            # The message names host, port and database, and holds no password.
            reason = " ".join(str(error).split())
            raise InputError(
                f"DATABASE_URL: cannot use the PostgreSQL server: {reason}; start it, or mend the URL"
            ) from None
        self._pool.open()

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return await self._run(lambda connection: connection.execute(sql, parameters).fetchall())

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        if durable:
            return await self._run(operation)

        def quicker(connection: Connection) -> T:
            connection.execute("SET LOCAL synchronous_commit TO OFF")
            return operation(connection)

        return await self._run(quicker)

    async def _run(self, operation: Callable[[Connection], T]) -> T:
        return await kept(asyncio.get_running_loop().run_in_executor(self._threads, self._result, operation))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._pool.close)

    def _result(self, operation: Callable[[Connection], T]) -> T | Failed:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self._pool.connection(timeout=max(0.1, deadline - time.monotonic())) as connection:
                    return operation(_Dialect(connection))
            except Exception as error:
                if not _passes(error):
                    return Failed(error)
                if time.monotonic() > deadline:
                    unavailable = StoreUnavailable(" ".join(str(error).split()))
                    unavailable.__cause__ = error
                    return Failed(unavailable)
                time.sleep(0.1)


def _passes(error: Exception) -> bool:
    """Whether the connection broke, the server starts or has no room, or it wants the transaction repeated; but not
    what exceeds the limits of a statement (class 54), which the driver counts among these."""
    return isinstance(error, psycopg.OperationalError) and not (error.sqlstate or "").startswith("54")


class _Dialect:
    """Takes parameters as `?`."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        return self._connection.execute(sql.replace("?", "%s").encode(), parameters)


def _migrate(connection: psycopg.Connection[DictRow], migrations: Mapping[Part, Sequence[str]]) -> None:
    # Several pools start at once on a new database.
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    connection.execute("CREATE TABLE IF NOT EXISTS continuo_schema (part TEXT PRIMARY KEY, version INTEGER NOT NULL)")
    for part, scripts in migrations.items():
        row = connection.execute("SELECT version FROM continuo_schema WHERE part = %s", (part,)).fetchone()
        for number, statement in pending(row["version"] if row else 0, scripts):
            connection.execute(statement.encode())
            connection.execute(
                "INSERT INTO continuo_schema VALUES (%s, %s)"
                " ON CONFLICT (part) DO UPDATE SET version = excluded.version",
                (part, number),
            )
