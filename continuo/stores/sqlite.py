"""One SQLite file, safe for many processes: WAL, one writer and one reader connection in each."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from continuo.stores.database import Connection, Row, pending

T = TypeVar("T")


class Sqlite:
    """Reads happen on the calling thread, since they never wait for a writer; writes on one thread of their own.

    Writes that arrive while a transaction is being committed share the next one, so that one flush to disk
    serves many calls. With `synchronous` FULL a write has reached the disk when `write` returns; with NORMAL the last
    ones can be lost with the machine's power, never with the process.
    """

    def __init__(
        self, path: Path, migrations: Sequence[str], *, synchronous: Literal["FULL", "NORMAL"] = "FULL"
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path, synchronous)
        _migrate(self._writer, migrations)
        self._reader = _connect(path, synchronous)
        self._reader.execute("PRAGMA query_only=ON")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._waiting: list[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = []
        self._flush: asyncio.Task[None] | None = None

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._reader.execute(sql, parameters).fetchall()

    async def write(self, operation: Callable[[Connection], T]) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, done))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_waiting())
        return await asyncio.shield(done)

    async def aclose(self) -> None:
        if self._flush is not None:
            await self._flush
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            operations = [operation for operation, _ in batch]
            try:
                results = await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, operations)
            except Exception as error:
                # Whatever an operation raises: nobody may wait for ever.
                for _, done in batch:
                    done.set_exception(error)
            else:
                for (_, done), result in zip(batch, results, strict=True):
                    done.set_result(result)

    def _transact(self, operations: list[Callable[[Connection], Any]]) -> list[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(self._writer) for operation in operations]
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")
        return results


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.row_factory = _row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    # Several pools start at once on a new file: the version is read under the write lock.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, statement in pending(
            connection.execute("PRAGMA user_version").fetchone()["user_version"], migrations
        ):
            connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")
    except BaseException:
        connection.execute("ROLLBACK")
        connection.close()
        raise
    connection.execute("COMMIT")
