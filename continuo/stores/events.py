"""The bus: events enter in the transaction of what they tell of, and are numbered once everybody can see them."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from continuo.config.events import Wanted
from continuo.data import Data
from continuo.operations.events import Event
from continuo.stores.database import Connection, Database, Row
from continuo.stores.pruning import Aged, prune

FRESH = 86_400.0
"""Seconds for which a fact is one to tell of: what is noticed later, as when a table is made anew, is history. No event
is dropped before, so that none enters twice."""

PORTION = 500
"""Events that are numbered at once."""

MOST = 1_000_000
"""Events that are kept at most, however young."""

EVENTS = Aged("events", "id", "entered")

_ENTER = (
    "INSERT INTO events (id, type, subject, tenant, pattern, time, entered, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_CLAIM = (
    "INSERT INTO event_positions (name, seq, holder, expires) VALUES ('', 0, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires"
    " WHERE event_positions.holder = excluded.holder OR event_positions.expires < ? RETURNING seq"
)
_BEGIN = (
    "INSERT INTO event_positions (name, seq) SELECT ?, COALESCE(MAX(seq), 0) FROM event_positions WHERE name = ''"
    " ON CONFLICT DO NOTHING"
)


class Position(Data):
    """Up to which number of the bus a subscriber has taken all, and how many events were given up before anybody took
    them."""

    name: str
    seq: int
    given_up: int = 0


def enter_events(connection: Connection, events: Iterable[Event]) -> None:
    """Put them on the bus in their order, each once. What happened too long ago is left out."""
    now = time.time()
    for position, event in enumerate(events):
        if event.time.timestamp() >= now - FRESH:
            when, data = event.time.astimezone(UTC).isoformat(), json.dumps(event.data)
            row = (event.id, event.type, event.subject, event.tenant, event.pattern, when, now + position / 1e6, data)
            connection.execute(_ENTER, row)


async def number(database: Database, holder: str, now: float, lease: float) -> bool:
    """Number what has entered, in its order, if it is the turn of `holder`; whether it is for the next `lease` seconds.

    One process alone numbers at a time. So a number, once it is seen, has none below it that was not: what several
    processes write is not seen in the order in which it was begun.
    """
    sql = (
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE seq IS NULL LIMIT 1) AS entered) AS waiting,"
        " (SELECT MAX(expires) FROM event_positions WHERE name = '' AND holder = ?) AS own,"
        " (SELECT MAX(expires) FROM event_positions WHERE name = '' AND holder <> ?) AS others"
    )
    [known] = await database.read(sql, (holder, holder))
    if (known["others"] or 0) >= now:
        return False
    if not known["waiting"] and (known["own"] or 0) > now + lease / 2:
        return True

    def write(connection: Connection) -> bool:
        claimed = connection.execute(_CLAIM, (holder, now + lease, now)).fetchone()
        if claimed is None:
            return False
        sql = f"SELECT id FROM events WHERE seq IS NULL ORDER BY entered, id LIMIT {PORTION}"
        seq = claimed["seq"]
        for row in connection.execute(sql).fetchall():
            seq += 1
            connection.execute("UPDATE events SET seq = ? WHERE id = ?", (seq, row["id"]))
        connection.execute("UPDATE event_positions SET seq = ? WHERE name = ''", (seq,))
        return True

    return await database.write(write, durable=False)


async def release(database: Database, holder: str) -> None:
    """Leave it to another process to number, and to deliver."""
    sql = "UPDATE event_positions SET expires = 0 WHERE name = '' AND holder = ?"
    await database.write(lambda connection: connection.execute(sql, (holder,)).rowcount, durable=False)


async def begin(database: Database, name: str) -> Position:
    """Where a subscriber stands. A new one begins with what is numbered next."""
    await database.write(lambda connection: connection.execute(_BEGIN, (name,)).rowcount)
    return next(one for one in await positions(database) if one.name == name)


async def advance(database: Database, position: Position) -> None:
    """The subscriber stands there now."""
    sql = "UPDATE event_positions SET seq = ?, given_up = ? WHERE name = ?"
    row = (position.seq, position.given_up, position.name)
    await database.write(lambda connection: connection.execute(sql, row).rowcount, durable=False)


async def positions(database: Database) -> list[Position]:
    """Where every subscriber stands."""
    rows = await database.read("SELECT name, seq, given_up FROM event_positions WHERE name <> '' ORDER BY name")
    return [Position(**row) for row in rows]


async def newest(database: Database) -> int:
    """The number that was given last."""
    rows = await database.read("SELECT seq FROM event_positions WHERE name = ''")
    return rows[0]["seq"] if rows else 0


async def read_after(database: Database, seq: int, limit: int) -> list[Event]:
    """The events behind a number, in order."""
    sql = "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    return [_event(row) for row in await database.read(sql, (seq, limit))]


async def latest(database: Database, wanted: Wanted, run: str | None, limit: int) -> list[Event]:
    """The last `limit` events that are wanted, of one run or of all, in order."""
    conditions, values = ["seq IS NOT NULL"], list[object]()
    exact = [name for name in wanted.types if not name.endswith("*")]
    kinds = [f"{name[:-1]}%" for name in wanted.types if name.endswith("*")]
    if wanted.types:
        likes = [*(["type = ?"] * len(exact)), *(["type LIKE ?"] * len(kinds))]
        conditions.append(f"({' OR '.join(likes)})")
        values += [*exact, *kinds]
    for column, given in (("tenant", wanted.tenants), ("pattern", wanted.patterns), ("subject", [run] if run else [])):
        if given:
            conditions.append(f"{column} IN ({', '.join('?' * len(given))})")
            values += given
    sql = f"SELECT * FROM events WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
    return [_event(row) for row in await database.read(sql, (*values, limit))][::-1]


async def unknown_of(database: Database, events: Sequence[Event]) -> list[Event]:
    """Those that are not on the bus."""
    known = set[str]()
    for portion in _portions([event.id for event in events]):
        sql = f"SELECT id FROM events WHERE id IN ({', '.join('?' * len(portion))})"
        known |= {row["id"] for row in await database.read(sql, portion)}
    return [event for event in events if event.id not in known]


async def prune_events(database: Database, before: float, *, dry_run: bool) -> int:
    """Drop the events that entered `before` that time, seconds since 1970, and the oldest of too many; how many."""
    sql = f"SELECT entered FROM events ORDER BY entered DESC LIMIT 1 OFFSET {MOST}"
    too_many = await database.read(sql)
    before = max([before, *(row["entered"] for row in too_many)])
    return await prune(database, EVENTS, before, lambda id: False, dry_run=dry_run)


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), PORTION):
        yield ids[start : start + PORTION]


def _event(row: Row) -> Event:
    plain = {name: row[name] for name in ("id", "type", "subject", "tenant", "pattern", "seq")}
    return Event(**plain, time=datetime.fromisoformat(row["time"]), data=json.loads(row["data"]))
