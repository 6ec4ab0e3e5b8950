"""One SQLite file, safe for many processes: WAL, one writer and one reader connection in each."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

JOURNAL = (
    """
    CREATE TABLE journal (
        identity TEXT PRIMARY KEY,
        time TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE ledger (
        identity TEXT PRIMARY KEY,
        time TEXT NOT NULL,
        tenant TEXT NOT NULL,
        user TEXT,
        pattern TEXT NOT NULL,
        path TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        estimated INTEGER NOT NULL,
        simulated INTEGER NOT NULL,
        cost_nanousd INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX ledger_tenant_time ON ledger (tenant, time);
    """,
)
"""The journal and the ledger. Forward only: each script is run once, in order; a released one is never edited."""

Operation = Callable[[sqlite3.Connection], object]


class Database:
    """Reads happen on the calling thread, since they never wait for a writer; writes on one thread of their own.

    Writes that arrive while a transaction is being committed share the next one, so that one flush to disk
    serves many calls. With `synchronous` FULL a write has reached the disk when `write` returns; with NORMAL the last
    ones can be lost with the machine's power, never with the process.
    """

    def __init__(
        self, path: Path, migrations: Sequence[str] = JOURNAL, *, synchronous: Literal["FULL", "NORMAL"] = "FULL"
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path, synchronous)
        _migrate(self._writer, migrations)
        self._reader = _connect(path, synchronous)
        self._reader.execute("PRAGMA query_only=ON")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._waiting: list[tuple[Operation, asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        return self._reader.execute(sql, parameters).fetchall()

    async def write(self, operation: Operation) -> None:
        """Run `operation` in a transaction; it must not commit. Not undone when the caller is cancelled."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, done))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_waiting())
        await asyncio.shield(done)

    async def aclose(self) -> None:
        """Wait for the writes under way, then close both connections."""
        if self._flush is not None:
            await self._flush
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            operations = [operation for operation, _ in batch]
            error: Exception | None = None
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, operations)
            except Exception as raised:
                # Whatever an operation raises: nobody may wait for ever.
                error = raised
            for _, done in batch:
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _transact(self, operations: list[Operation]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            for operation in operations:
                operation(self._writer)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    # Several pools start at once on a new file: the version is read under the write lock.
    connection.execute("BEGIN IMMEDIATE")
    version: Any = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(migrations[version:], version + 1):
        for statement in script.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
    connection.execute("COMMIT")
