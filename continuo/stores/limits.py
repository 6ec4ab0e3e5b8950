"""How much of the limits is used, shared by all workers: in SQL."""

from collections.abc import Mapping
from typing import Protocol

from continuo.config.catalog import Limits
from continuo.protection.rate_limits import SLOTS, Seen, Slot, Wait, any_limit, wait, widths
from continuo.stores.database import Connection, Database

GRACE = 30.0
"""Seconds after its wait in which a call must ask again to keep its turn."""

Scopes = Mapping[str, Limits]
"""What is limited, by a name such as `model/gpt-6-luna`."""


class LimitStore(Protocol):
    """Times are seconds since 1970, given by the caller. Scopes without any limit are ignored."""

    async def admit(
        self, scopes: Scopes, *, place: str, turn: str, tokens: int, lease: float, queue: bool, now: float
    ) -> Wait | None:
        """None: the call may go, is counted with its `tokens` (estimated), and holds its `place` for `lease` seconds at
        most. Else nothing is counted, and, with `queue`, whoever asks again as `turn` goes before those who came later.

        Atomic over all `scopes`. The same place asked for twice is held once, yet counted as two requests.
        """

    async def forgo(self, scopes: Scopes, *, turn: str) -> None:
        """Whoever may have waited as `turn` waits no more: it goes elsewhere."""

    async def settle(self, scopes: Scopes, *, place: str, admitted: float, lease: float, tokens: int) -> None:
        """The call that was admitted at that time for that lease has ended: its place is free, unless another attempt
        has taken that over, and `tokens` (used, less those that were estimated; negative as a rule) are added where it
        was counted."""

    async def renew(self, scope: str, *, place: str, until: float) -> None:
        """The place is held until then, even where its lease was over; its scope limits how many there are at once."""

    async def used(self, scope: str, width: int, now: float) -> tuple[Slot, ...]:
        """What was used in the window of that width, oldest first; nothing where `scope` does not limit it."""


class SqlLimits:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(
        self, scopes: Scopes, *, place: str, turn: str, tokens: int, lease: float, queue: bool, now: float
    ) -> Wait | None:
        limited = under_limits(scopes)

        def write(connection: Connection) -> Wait | None:
            waits = []
            for scope, limits in limited.items():
                seen = _seen(connection, scope, limits, place, turn, now)
                if (seconds := wait(scope, limits, seen, tokens, now)) is not None:
                    waits.append(seconds)
            longest = max(waits, key=lambda one: one.seconds, default=None)
            for scope, limits in limited.items():
                if longest is None:
                    _go(connection, scope, limits, place, turn, tokens, now, now + lease)
                elif queue:
                    _queue(connection, scope, turn, tokens, now, now + longest.seconds + GRACE)
            return longest

        return await self._database.write(write) if limited else None

    async def forgo(self, scopes: Scopes, *, turn: str) -> None:
        limited = under_limits(scopes)

        def write(connection: Connection) -> None:
            for scope in limited:
                connection.execute("DELETE FROM limit_turns WHERE scope = ? AND holder = ?", (scope, turn))

        if limited:
            await self._database.write(write)

    async def settle(self, scopes: Scopes, *, place: str, admitted: float, lease: float, tokens: int) -> None:
        limited = under_limits(scopes)

        def write(connection: Connection) -> None:
            for scope, limits in limited.items():
                # Who holds the place now is told by when that ends.
                sql = "DELETE FROM limit_places WHERE scope = ? AND holder = ? AND expires = ?"
                connection.execute(sql, (scope, place, admitted + lease))
                for width in widths(limits):
                    sql = "UPDATE limit_windows SET tokens = tokens + ? WHERE scope = ? AND width = ? AND slot = ?"
                    connection.execute(sql, (tokens, scope, width, int(admitted // width)))

        if limited:
            await self._database.write(write)

    async def renew(self, scope: str, *, place: str, until: float) -> None:
        await self._database.write(lambda connection: connection.execute(_PLACE, (scope, place, until)).rowcount)

    async def used(self, scope: str, width: int, now: float) -> tuple[Slot, ...]:
        rows = await self._database.read(_WINDOW, (scope, width, int(now // width) - SLOTS))
        return tuple(Slot(**row) for row in rows)


def under_limits(scopes: Scopes) -> dict[str, Limits]:
    """Those that have any limit, always in the same order, so that no two transactions wait for each other."""
    return {scope: scopes[scope] for scope in sorted(scopes) if any_limit(scopes[scope])}


_SEEN = """
    SELECT COUNT(*) AS ahead, COALESCE(SUM(tokens), 0) AS ahead_tokens,
        (SELECT COUNT(*) FROM limit_places WHERE scope = ? AND holder <> ? AND expires > ?) AS running
    FROM limit_turns WHERE scope = ? AND expires > ? AND since < COALESCE(
        (SELECT since FROM limit_turns WHERE scope = ? AND holder = ? AND expires > ?), ?)
"""

_PLACE = (
    "INSERT INTO limit_places VALUES (?, ?, ?) ON CONFLICT (scope, holder) DO UPDATE SET expires = excluded.expires"
)

_WINDOW = "SELECT slot, requests, tokens FROM limit_windows WHERE scope = ? AND width = ? AND slot > ? ORDER BY slot"


def _seen(connection: Connection, scope: str, limits: Limits, place: str, turn: str, now: float) -> Seen:
    # Locks the scope where a transaction does not lock everything anyway.
    connection.execute(
        "INSERT INTO limit_scopes VALUES (?) ON CONFLICT (scope) DO UPDATE SET scope = excluded.scope", (scope,)
    )
    row = connection.execute(_SEEN, (scope, place, now, scope, now, scope, turn, now, now)).fetchone()
    windows = {}
    for width in widths(limits):
        rows = connection.execute(_WINDOW, (scope, width, int(now // width) - SLOTS)).fetchall()
        windows[width] = tuple(Slot(**row) for row in rows)
    return Seen(row["running"], row["ahead"], int(row["ahead_tokens"]), windows)


def _go(
    connection: Connection, scope: str, limits: Limits, place: str, turn: str, tokens: int, now: float, until: float
) -> None:
    sql = "DELETE FROM limit_turns WHERE scope = ? AND (holder = ? OR expires <= ?)"
    connection.execute(sql, (scope, turn, now))
    if limits.concurrency is not None:
        connection.execute("DELETE FROM limit_places WHERE scope = ? AND expires <= ?", (scope, now))
        connection.execute(_PLACE, (scope, place, until))
    for width in widths(limits):
        slot = int(now // width)
        row = connection.execute(
            "INSERT INTO limit_windows VALUES (?, ?, ?, 1, ?) ON CONFLICT (scope, width, slot) DO UPDATE"
            " SET requests = limit_windows.requests + 1, tokens = limit_windows.tokens + excluded.tokens"
            " RETURNING requests",
            (scope, width, slot, tokens),
        ).fetchone()
        if row["requests"] == 1:
            # A new slot: the oldest have left the window.
            sql = "DELETE FROM limit_windows WHERE scope = ? AND width = ? AND slot <= ?"
            connection.execute(sql, (scope, width, slot - SLOTS))


def _queue(connection: Connection, scope: str, turn: str, tokens: int, now: float, until: float) -> None:
    connection.execute(
        "INSERT INTO limit_turns VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope, holder) DO UPDATE"
        " SET since = CASE WHEN limit_turns.expires > ? THEN limit_turns.since ELSE excluded.since END,"
        " tokens = excluded.tokens, expires = excluded.expires",
        (scope, turn, now, tokens, until, now),
    )
