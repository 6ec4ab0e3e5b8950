"""One SQLite file, safe for many processes: WAL, one writer and one reader connection in each."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from continuo.stores.database import Connection, Row, pending

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds to wait while other processes write."""


class _Write(NamedTuple):
    operation: Callable[[Connection], Any]
    durable: bool
    done: asyncio.Future[Any]


class Sqlite:
    """Reads happen on the calling thread, since they never wait for a writer; durable writes on a thread of their own.

    Writes that arrive while a transaction is being committed share the next one, so that one flush to disk
    serves many calls. In a file that is not `durable` no write is.
    """

    def __init__(self, path: Path, migrations: Sequence[str], *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._durable = durable
        self._writer = _connect(path)
        _migrate(self._writer, migrations)
        self._reader = _connect(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._waiting: list[_Write] = []
        self._flush: asyncio.Task[None] | None = None

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._reader.execute(sql, parameters).fetchall()

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        durable = durable and self._durable
        idle = self._flush is None or self._flush.done()
        if idle and not durable:
            # Nothing waits for the disk: done here, in less time than to hand it to the thread, if nobody else writes.
            try:
                result: T = self._transact([operation], durable=False, patience=0)[0]
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return result
        write = _Write(operation, durable, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if idle:
            self._flush = asyncio.create_task(self._write_waiting())
        return await asyncio.shield(write.done)

    async def aclose(self) -> None:
        if self._flush is not None:
            await self._flush
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()

    async def _write_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            operations, durable = [write.operation for write in batch], any(write.durable for write in batch)
            transact = partial(self._transact, operations, durable=durable, patience=PATIENCE)
            try:
                results = await loop.run_in_executor(self._thread, transact)
            except Exception as error:
                # Whatever an operation raises: nobody may wait for ever.
                for write in batch:
                    write.done.set_exception(error)
            else:
                for write, result in zip(batch, results, strict=True):
                    write.done.set_result(result)

    def _transact(
        self, operations: Sequence[Callable[[Connection], Any]], *, durable: bool, patience: float
    ) -> list[Any]:
        self._writer.execute(f"PRAGMA busy_timeout={round(patience * 1000)}")
        self._writer.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(self._writer) for operation in operations]
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")
        return results


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.row_factory = _row
    connection.execute("PRAGMA journal_mode=WAL")
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
