"""The cache in a file of its own, for the workers of one machine."""

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from continuo.jobs import Outcome
from continuo.stores import vectors
from continuo.stores.cache import FLIGHT, OUTLIVES, Lookup, Place, served, stripped
from continuo.stores.database import Connection, Row, StoreUnavailable
from continuo.stores.pruning import PAUSE, PORTION
from continuo.stores.sqlite.database import Sqlite
from continuo.stores.vectors import StoredEmbedding, Vectors

CACHE = (
    """
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        scope TEXT NOT NULL,
        family TEXT NOT NULL,
        tenant TEXT NOT NULL,
        pattern TEXT NOT NULL,
        stored REAL NOT NULL,
        expires REAL NOT NULL,
        used REAL NOT NULL,
        hits INTEGER NOT NULL DEFAULT 0,
        outcome TEXT NOT NULL,
        embedding BLOB
    );
    CREATE INDEX entries_scope_used ON entries (scope, used);
    CREATE INDEX entries_family ON entries (family) WHERE embedding IS NOT NULL;
    CREATE INDEX entries_expires ON entries (expires);
    CREATE TABLE flights (
        key TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        expires REAL NOT NULL,
        embedding BLOB
    ) WITHOUT ROWID;
    """,
)

_LIVE = "SELECT outcome FROM entries WHERE key = ? AND expires > ?"

_NEWER = """
    SELECT number, key, embedding FROM entries
    WHERE family = ? AND number > ? AND embedding IS NOT NULL AND length(embedding) = ? AND expires > ?
    ORDER BY number DESC LIMIT ?
"""


class SqliteCache:
    def __init__(self, database: Sqlite) -> None:
        self._database = database
        self._vectors = Vectors(self._newer, self._used)

    async def find(self, key: str, now: float) -> Outcome | None:
        rows = await self._database.read(_LIVE, (key, now))
        return served(rows[0]["outcome"]) if rows else None

    async def note_use(self, key: str, *, hits: int, now: float) -> None:
        sql = "UPDATE entries SET used = ?, hits = hits + ? WHERE key = ?"
        await self._database.write(lambda connection: connection.execute(sql, (now, hits, key)).rowcount)

    async def look_up(self, place: Place, *, take_off: bool, now: float) -> Lookup:
        if (outcome := await self._used(place.key, now)) is not None:
            return Lookup(outcome=outcome)

        def begin(connection: Connection) -> Lookup:
            # Looked for again where nobody else writes: it may have landed in the meantime.
            if row := connection.execute(_LIVE, (place.key, now)).fetchone():
                return Lookup(outcome=served(row["outcome"]))
            if take_off:
                flight = (place.key, place.holder, now + FLIGHT)
                connection.execute("INSERT OR IGNORE INTO flights (key, holder, expires) VALUES (?, ?, ?)", flight)
            row = connection.execute("SELECT holder, expires FROM flights WHERE key = ?", (place.key,)).fetchone()
            if row is not None and row["holder"] != place.holder:
                return Lookup(wait=True, overdue=row["holder"] if row["expires"] <= now else None)
            return Lookup()

        return await self._database.write(begin)

    async def similar(self, place: Place, embedding: bytes, threshold: float, now: float) -> Lookup:
        if (outcome := await self._vectors.nearest(place.family, embedding, threshold, now)) is not None:
            return Lookup(outcome=outcome)
        row = (embedding, place.key, place.holder)
        sql = "UPDATE flights SET embedding = ? WHERE key = ? AND holder = ?"
        await self._database.write(lambda connection: connection.execute(sql, row))
        return Lookup()

    async def extend(self, place: Place, *, now: float) -> None:
        row = (now + FLIGHT, place.key, place.holder)
        sql = "UPDATE flights SET expires = ? WHERE key = ? AND holder = ?"
        await self._database.write(lambda connection: connection.execute(sql, row))

    async def land(self, place: Place) -> None:
        await self._database.write(lambda connection: _landed(connection, place))

    async def keep(self, place: Place, outcome: Outcome, *, ttl: float, max_size: int, now: float) -> None:
        text = stripped(outcome).model_dump_json(exclude_defaults=True)

        def write(connection: Connection) -> None:
            sql = "SELECT embedding FROM flights WHERE key = ? AND holder = ?"
            flight = connection.execute(sql, (place.key, place.holder)).fetchone()
            row = (
                None, place.key, place.scope, place.family, place.tenant, place.pattern,
                now, now + ttl, now, 0, text, flight and flight["embedding"],
            )  # fmt: skip
            connection.execute(f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * len(row))})", row)
            connection.execute("DELETE FROM entries WHERE expires <= ?", (now,))
            connection.execute(
                "DELETE FROM entries WHERE number IN"
                " (SELECT number FROM entries WHERE scope = ? ORDER BY used DESC, number DESC LIMIT -1 OFFSET ?)",
                (place.scope, max_size),
            )
            _landed(connection, place)

        await self._database.write(write)

    async def invalidate(self, key: str) -> bool:
        sql = "DELETE FROM entries WHERE key = ?"
        return await self._database.write(lambda connection: connection.execute(sql, (key,)).rowcount) > 0

    async def clear(self, tenant: str | None) -> int:
        sql = "DELETE FROM entries WHERE ?1 IS NULL OR tenant = ?1"
        return await self._database.write(lambda connection: connection.execute(sql, (tenant,)).rowcount)

    async def prune(self, *, now: float, dry_run: bool) -> int:
        if dry_run:
            sql = "SELECT COUNT(*) AS count FROM entries WHERE expires <= ?"
            count: int = (await self._database.read(sql, (now,)))[0]["count"]
            return count

        def drop(connection: Connection) -> int:
            connection.execute("DELETE FROM flights WHERE expires <= ?", (now - OUTLIVES,))
            sql = "DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE expires <= ? LIMIT ?)"
            return connection.execute(sql, (now, PORTION)).rowcount

        count = 0
        while dropped := await self._database.write(drop):
            count += dropped
            await asyncio.sleep(PAUSE)
        return count

    async def entries(self, tenant: str | None, now: float) -> list[Row]:
        sql = "SELECT * FROM entries WHERE expires > ?1 AND (?2 IS NULL OR tenant = ?2) ORDER BY used DESC, key"
        return await self._database.read(sql, (now, tenant))

    async def aclose(self) -> None:
        await self._database.aclose()

    async def _used(self, key: str, now: float) -> Outcome | None:
        """What is found, noted as used."""
        outcome = await self.find(key, now)
        if outcome is not None:
            # An answer that was found is an answer, even if nobody can note that it was used.
            with suppress(sqlite3.Error, StoreUnavailable):
                await self.note_use(key, hits=1, now=now)
        return outcome

    async def _newer(self, family: str, size: int, last: int, now: float) -> AsyncIterator[StoredEmbedding]:
        # A number is given under the write lock, so that none appears after a greater one was seen.
        for row in reversed(await self._database.read(_NEWER, (family, last, size, now, vectors.MOST))):
            yield StoredEmbedding(**row)


def open_file(path: Path) -> SqliteCache:
    """A cache in that file, which may be deleted at any time: a damaged one is, since all that it costs is a miss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        # Several pools start at once: none may delete what another has just put in the place of a damaged file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return SqliteCache(Sqlite(path, CACHE, durable=False))
        except sqlite3.DatabaseError as error:
            # One that is only locked, or on a full disk, may be in use by others.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return SqliteCache(Sqlite(path, CACHE, durable=False))


def _landed(connection: Connection, place: Place) -> None:
    connection.execute("DELETE FROM flights WHERE key = ? AND holder = ?", (place.key, place.holder))
