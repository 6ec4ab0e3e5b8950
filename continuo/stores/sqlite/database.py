"""One SQLite file, safe for many processes: WAL, one writer and one reader connection in each."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from continuo.stores.database import Connection, Failed, Row, StoreUnavailable, kept, pending

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait while other processes write."""

CHECKPOINT = 4 * 1024 * 1024
"""Bytes of the write-ahead log from which the thread moves it into the file, which waits for the disk."""

_PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
)


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
        self._log = path.with_name(f"{path.name}-wal")
        with _telling_what_passes():
            self._writer = _connect(path)
            _migrate(self._writer, migrations)
            self._reader = _connect(path)
            self._reader.execute("PRAGMA query_only=ON")
            self._reader.execute("PRAGMA busy_timeout=0")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._waiting: list[_Write] = []
        self._flush: asyncio.Task[None] | None = None

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        deadline = time.monotonic() + PATIENCE
        with _telling_what_passes():
            while True:
                try:
                    return self._reader.execute(sql, parameters).fetchall()
                except sqlite3.OperationalError as error:
                    # Rare: another process recovers the log, or has the file to itself. The event loop goes on.
                    if not _is_busy(error) or time.monotonic() > deadline:
                        raise
                await asyncio.sleep(0.05)

    async def write(self, operation: Callable[[Connection], T], *, durable: bool = True) -> T:
        durable = durable and self._durable
        idle = self._flush is None or self._flush.done()
        if idle and not durable and self._log_size() < CHECKPOINT:
            # Nothing waits for the disk: done here, in less time than to hand it to the thread, if nobody else writes.
            with _telling_what_passes():
                try:
                    result: T = self._transact([operation], durable=False, patience=0, checkpoint=False)[0]
                except sqlite3.OperationalError as error:
                    if not _is_busy(error):
                        raise
                else:
                    return result
        write = _Write(operation, durable, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if idle:
            self._flush = asyncio.create_task(self._write_waiting())
        return await kept(write.done)

    async def aclose(self) -> None:
        if self._flush is not None:
            await self._flush
        # The last one to close moves the log into the file.
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    async def _write_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            results = await loop.run_in_executor(self._thread, self._results, batch, time.monotonic() + PATIENCE)
            for write, result in zip(batch, results, strict=True):
                write.done.set_result(result)

    def _results(self, batch: Sequence[_Write], deadline: float) -> list[Any]:
        """One transaction for all; where that fails, one for each, so that each has the result or error of its own."""
        operations, durable = [write.operation for write in batch], any(write.durable for write in batch)
        patience = max(0.0, deadline - time.monotonic())
        try:
            with _telling_what_passes():
                return self._transact(operations, durable=durable, patience=patience, checkpoint=True)
        except Exception as error:
            # Whatever an operation raises: nobody may wait for ever.
            if len(batch) == 1:
                return [Failed(error)]
        return [result for write in batch for result in self._results([write], deadline)]

    def _transact(
        self, operations: Sequence[Callable[[Connection], Any]], *, durable: bool, patience: float, checkpoint: bool
    ) -> list[Any]:
        self._writer.execute(f"PRAGMA busy_timeout={round(patience * 1000)}")
        self._writer.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._writer.execute(f"PRAGMA wal_autocheckpoint={1000 if checkpoint else 0}")
        with _transaction(self._writer):
            return [operation(self._writer) for operation in operations]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Committed at the end, or else undone, whatever fails: none is left open, and the first error is the one told."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors SQLite has undone it already.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


@contextmanager
def _telling_what_passes() -> Iterator[None]:
    """Raises `StoreUnavailable` for what passes by itself, and anything else as it is."""
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) not in _PASSING:
            raise
        raise StoreUnavailable(f"{error} ({error.sqlite_errorname})") from error


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.Error) -> int:
    """The primary code of an error that came from SQLite, else 0. The high bits only tell more."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.row_factory = _row
    _log_ahead(connection)
    # A log that was moved into the file whole is cut to this, so that its size tells how much waits there.
    connection.execute(f"PRAGMA journal_size_limit={CHECKPOINT // 2}")
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Several pools start at once on a new file, and where one is at this, SQLite lets no other wait for it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                connection.close()
                raise
        else:
            return
        time.sleep(0.01)


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    # Several pools start at once on a new file: the version is read under the write lock.
    try:
        with _transaction(connection):
            version = connection.execute("PRAGMA user_version").fetchone()["user_version"]
            for number, statement in pending(version, migrations):
                connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
    except BaseException:
        connection.close()
        raise
