"""The stream log in SQL."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from continuo.deltas import Delta
from continuo.stores.database import Connection, Database, Failed, kept
from continuo.stores.pruning import PAUSE
from continuo.stores.streams import MAX_BYTES, PORTION, Claim, Watches, Writer, behind, encoded

TOGETHER = 0.004
"""Seconds from one transaction to the next: what all streams of the process append meanwhile shares one."""

RUNS = 20
"""Runs dropped in one transaction: each may have thousands of batches."""

_CLAIM = """
    INSERT INTO streams (run, path, attempt, pieces, bytes, time) VALUES (?, ?, ?, 0, 0, ?)
    ON CONFLICT (run) DO UPDATE SET path = excluded.path, attempt = excluded.attempt, time = excluded.time
    WHERE CASE WHEN streams.path = excluded.path THEN streams.attempt <= excluded.attempt ELSE streams.pieces = 0 END
"""

_ADVANCE = """
    UPDATE streams SET pieces = ?, bytes = bytes + ?, time = ?
    WHERE run = ? AND path = ? AND attempt = ? AND pieces = ? AND bytes + ? <= ?
"""


class _Append(NamedTuple):
    writer: Writer
    after: int
    last: int
    content: bytes
    now: float
    done: asyncio.Future[bool | Failed]


class SqlStreams:
    """`announce` tells, in the transaction that appends to some runs, those who watch them elsewhere; `kept` is how
    many seconds a run stays."""

    def __init__(
        self,
        database: Database,
        watches: Watches,
        kept: float,
        announce: Callable[[Connection, str], object] = lambda connection, run: None,
    ) -> None:
        self._database = database
        self._watches = watches
        self._kept = kept
        self._announce = announce
        self._waiting: list[_Append] = []
        self._flush: asyncio.Task[None] | None = None

    async def claim(self, writer: Writer, now: float) -> Claim:
        def write(connection: Connection) -> Claim:
            connection.execute(_CLAIM, (*_key(writer), now))
            row = connection.execute("SELECT path, pieces FROM streams WHERE run = ?", (writer.run,)).fetchone()
            return Claim(int(row["pieces"]), row["path"] == writer.path)

        return await self._database.write(write, durable=False)

    async def append(self, writer: Writer, after: int, pieces: Sequence[Delta], now: float) -> bool:
        done: asyncio.Future[bool | Failed] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Append(writer, after, after + len(pieces), encoded(pieces), now, done))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_waiting())
        return await kept(done)

    async def read(self, run: str, after: int) -> list[Delta]:
        sql = f"SELECT last, pieces FROM stream_batches WHERE run = ? AND last > ? ORDER BY last LIMIT {PORTION}"
        rows = await self._database.read(sql, (run, after))
        return behind([(row["last"], row["pieces"]) for row in rows], after)

    def watched(self, run: str) -> AbstractContextManager[asyncio.Event]:
        return self._watches.watched(run)

    async def forget(self, runs: Sequence[str], *, dry_run: bool) -> int:
        known = list[str]()
        for start in range(0, len(runs), RUNS):
            page = runs[start : start + RUNS]
            sql = f"SELECT run FROM streams WHERE run IN ({', '.join('?' * len(page))})"
            known += [row["run"] for row in await self._database.read(sql, page)]
        for start in range(0, 0 if dry_run else len(known), RUNS):
            await self._database.write(partial(_drop, known[start : start + RUNS]))
        return len(known)

    async def prune(self, now: float, *, dry_run: bool) -> int:
        old = "FROM streams WHERE time < ?"
        if dry_run:
            return int((await self._database.read(f"SELECT COUNT(*) AS count {old}", (now - self._kept,)))[0]["count"])
        count = 0
        while rows := await self._database.read(f"SELECT run {old} LIMIT {RUNS}", (now - self._kept,)):
            await self._database.write(partial(_drop, [row["run"] for row in rows]))
            count += len(rows)
            await asyncio.sleep(PAUSE)
        return count

    async def _write_waiting(self) -> None:
        while self._waiting:
            # In the order of the runs, so that no two processes wait for each other.
            batch, self._waiting = sorted(self._waiting, key=lambda one: one.writer.run), []
            # What was begun must be known after a crash, so that no second answer follows.
            durable = any(one.after == 0 for one in batch)
            results: Sequence[bool | Failed]
            try:
                results = await self._database.write(partial(self._append_all, batch), durable=durable)
            except Exception as error:
                results = [Failed(error)] * len(batch)
            for one, result in zip(batch, results, strict=True):
                one.done.set_result(result)
            await asyncio.sleep(TOGETHER)

    def _append_all(self, batch: list[_Append], connection: Connection) -> list[bool]:
        return [self._appended(connection, one) for one in batch]

    def _appended(self, connection: Connection, one: _Append) -> bool:
        size = len(one.content)
        values = (one.last, size, one.now, *_key(one.writer), one.after, size, MAX_BYTES)
        if not connection.execute(_ADVANCE, values).rowcount:
            return False
        row = (one.writer.run, one.last, one.content.decode())
        connection.execute("INSERT INTO stream_batches (run, last, pieces) VALUES (?, ?, ?)", row)
        self._announce(connection, one.writer.run)
        return True


def _key(writer: Writer) -> tuple[str, str, int]:
    return writer.run, writer.path, writer.attempt


def _drop(runs: list[str], connection: Connection) -> None:
    marks = ", ".join("?" * len(runs))
    for table in ("stream_batches", "streams"):
        connection.execute(f"DELETE FROM {table} WHERE run IN ({marks})", runs)
