"""The cache of answers: shared by the workers, and never needed for a right answer."""

import fcntl
import sqlite3
from contextlib import suppress
from pathlib import Path

from continuo.data import Data
from continuo.jobs import Outcome
from continuo.stores.database import Database
from continuo.stores.vectors import Vectors

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

FLIGHT = 10.0
"""Seconds after which somebody who waits asks whether the run under way to an answer still is: one that was terminated
never lands."""

_LIVE = "SELECT outcome FROM entries WHERE key = ? AND expires > ?"


class Place(Data):
    """Where an answer belongs: see `cache_key`. `holder` is the run that looks for it."""

    key: str
    scope: str
    family: str
    tenant: str
    pattern: str
    holder: str


class Found(Data):
    """What a look-up found: an answer; or another run under way to it, to `wait` for; or neither.

    `overdue` is the holder of a flight that nobody has heard of for `FLIGHT` seconds.
    """

    outcome: Outcome | None = None
    wait: bool = False
    overdue: str | None = None


class Cache:
    """Times are seconds since 1970, given by the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vectors = Vectors(database)

    async def look_up(self, place: Place, *, take_off: bool, now: float) -> Found:
        """The answer kept under the key. If there is none, nobody is under way to it and `take_off`, the holder is."""
        if rows := self._database.read(_LIVE, (place.key, now)):
            await self._touch(place.key, now)
            return Found(outcome=_served(rows[0]["outcome"]))
        found = Found()

        def begin(connection: sqlite3.Connection) -> None:
            nonlocal found
            # Looked for again where nobody else writes: it may have landed in the meantime.
            if row := connection.execute(_LIVE, (place.key, now)).fetchone():
                found = Found(outcome=_served(row["outcome"]))
                return
            if take_off:
                flight = (place.key, place.holder, now + FLIGHT)
                connection.execute("INSERT OR IGNORE INTO flights (key, holder, expires) VALUES (?, ?, ?)", flight)
            row = connection.execute("SELECT holder, expires FROM flights WHERE key = ?", (place.key,)).fetchone()
            if row is not None and row["holder"] != place.holder:
                found = Found(wait=True, overdue=row["holder"] if row["expires"] <= now else None)

        await self._database.write(begin)
        return found

    async def similar(self, place: Place, embedding: bytes, threshold: float, now: float) -> Found:
        """The answer of the same family to the question nearest in meaning, if it is near enough.

        If there is none, the embedding is kept for the answer that the holder is under way to.
        """
        key = self._vectors.nearest(place.family, embedding, threshold, now)
        if key is not None and (rows := self._database.read(_LIVE, (key, now))):
            await self._touch(key, now)
            return Found(outcome=_served(rows[0]["outcome"]))
        row = (embedding, place.key, place.holder)
        sql = "UPDATE flights SET embedding = ? WHERE key = ? AND holder = ?"
        await self._database.write(lambda connection: connection.execute(sql, row))
        return Found()

    async def extend(self, place: Place, *, now: float) -> None:
        """The holder is still under way."""
        row = (now + FLIGHT, place.key, place.holder)
        sql = "UPDATE flights SET expires = ? WHERE key = ? AND holder = ?"
        await self._database.write(lambda connection: connection.execute(sql, row))

    async def land(self, place: Place) -> None:
        """The holder's flight has ended, whatever it came to."""
        await self._database.write(lambda connection: _landed(connection, place))

    async def keep(self, place: Place, outcome: Outcome, *, ttl: float, max_size: int, now: float) -> None:
        """Keep an answer for `ttl` seconds; beyond `max_size` of a scope the least recently used ones go."""
        text = _stripped(outcome).model_dump_json(exclude_defaults=True)

        def write(connection: sqlite3.Connection) -> None:
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
        """Drop one answer; whether there was one."""
        return await self._delete("DELETE FROM entries WHERE key = ?", (key,)) > 0

    async def clear(self, tenant: str | None) -> int:
        """Drop all answers, or those of one tenant; how many there were."""
        return await self._delete("DELETE FROM entries WHERE ?1 IS NULL OR tenant = ?1", (tenant,))

    def entries(self, tenant: str | None, now: float) -> list[sqlite3.Row]:
        """What is kept, last used first: key, tenant, pattern, stored, expires, used, hits, outcome."""
        sql = "SELECT * FROM entries WHERE expires > ?1 AND (?2 IS NULL OR tenant = ?2) ORDER BY used DESC, key"
        return self._database.read(sql, (now, tenant))

    async def _touch(self, key: str, now: float) -> None:
        """An answer that was found is an answer, even if nobody can note that it was used."""
        sql = "UPDATE entries SET used = ?, hits = hits + 1 WHERE key = ?"
        with suppress(sqlite3.Error):
            await self._database.write(lambda connection: connection.execute(sql, (now, key)))

    async def _delete(self, sql: str, parameters: tuple[str | None, ...]) -> int:
        count = 0

        def delete(connection: sqlite3.Connection) -> None:
            nonlocal count
            count = connection.execute(sql, parameters).rowcount

        await self._database.write(delete)
        return count


def open_cache(path: Path) -> Database:
    """The cache's own file, which may be deleted at any time: a damaged one is, since all that it costs is a miss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        # Several pools start at once: none may delete what another has just put in the place of a damaged file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return Database(path, CACHE, synchronous="NORMAL")
        except sqlite3.DatabaseError as error:
            # One that is only locked, or on a full disk, may be in use by others.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return Database(path, CACHE, synchronous="NORMAL")


def _landed(connection: sqlite3.Connection, place: Place) -> None:
    connection.execute("DELETE FROM flights WHERE key = ? AND holder = ?", (place.key, place.holder))


def _stripped(outcome: Outcome) -> Outcome:
    """The answer alone: what it took belongs to the run that made it. What it had cost is what a hit saves."""
    own = ("calls", "checkpoints", "usage", "cost_usd", "latency_ms", "workflow_id", "run_id")
    answer = {name: value for name, value in outcome if name not in own}
    return Outcome(**{**answer, "saved_usd": outcome.cost_usd})


def _served(text: str) -> Outcome:
    return Outcome.model_validate_json(text).model_copy(update={"served_by": "cache", "cost_usd": 0.0})
