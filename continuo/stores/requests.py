"""What gateways were asked, so that a client that asks again finds the run of its first time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

from continuo.stores import waiters
from continuo.stores.database import Connection, Database, Row
from continuo.stores.waiters import Waiter

KEPT = 24 * 3600.0
"""Seconds for which a request is known."""

Standing = Literal["waited_for", "delivered", "abandoned"]
"""Of a request that a client has left: another one waits, or has the answer, or nobody does and nobody has."""


class KeyReused(Exception):
    """The idempotency key was used for another body."""


@dataclass(frozen=True)
class Received:
    """A request as it came: the id of the API key, the path, a hash of the body, and the caller's idempotency key.

    `retried` says that the client has asked before.
    """

    caller: str
    path: str
    body_sha256: str
    key: str | None = None
    retried: bool = False


@dataclass(frozen=True)
class Known:
    """A request that is kept: the `id` of its run, when it first came (seconds since 1970), and whether its run
    `goes_on` when nobody waits for it: its caller has a key for it, or said so.

    `waiter` is who waits for it now, if that is counted. One that is `abandoned` had been left by all: its run was
    cancelled, unless it had an answer in the same moment.
    """

    id: str
    received: float
    goes_on: bool = False
    waiter: Waiter | None = None
    abandoned: bool = False


class Requests:
    """One row for each run that a gateway was asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, request: Received, now: float, *, waits: bool = False) -> Known:
        """The request that this one repeats, or this one itself, kept as new before it is returned.

        With an idempotency key it repeats the one with that key; without, one that is `retried` repeats the newest
        with the same body whose answer was not delivered, and if it `waits` it is counted among those who do.
        Raises `KeyReused`.
        """
        client = uuid4().hex if waits and request.key is None else None
        new = Known(uuid4().hex, now, goes_on=client is None)

        def write(connection: Connection) -> Known:
            if request.key is None:
                if request.retried and (known := _undelivered(connection, request, now)):
                    return known if client is None or known.goes_on else _joined(connection, known, client, now)
            elif (row := _keyed(connection, request, now)) is not None:
                if row["body_sha256"] != request.body_sha256:
                    raise KeyReused
                return Known(row["id"], row["received"], goes_on=True)
            values = (new.id, request.caller, request.path, request.body_sha256, request.key, now, int(new.goes_on))
            connection.execute(
                "INSERT INTO requests (id, caller, path, body_sha256, idempotency_key, received, goes_on) VALUES"
                " (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                values,
            )
            if client is None:
                return new
            waiters.join(connection, waiter := Waiter(new.id, client), now)
            return replace(new, waiter=waiter)

        known = await self._database.write(write)
        if request.key is not None and known is new:
            # Another gateway may have kept the same key in the same moment: the first one counts.
            return await self._database.write(lambda connection: _first(connection, request, new))
        return known

    async def find(self, id: str, caller: str, path: str) -> Known | None:
        """The request of that id, if it is this caller's and came by this path."""
        sql = "SELECT id, received, goes_on FROM requests WHERE id = ? AND caller = ? AND path = ?"
        rows = await self._database.read(sql, (id, caller, path))
        return _known(rows[0]) if rows else None

    async def join(self, known: Known, now: float) -> Known:
        """The request with one more client that waits for its run."""
        client = uuid4().hex
        return await self._database.write(lambda connection: _joined(connection, known, client, now), durable=False)

    async def delivered(self, known: Known) -> None:
        """Its answer has reached the client, who waits no more: whoever asks the same again wants another one."""

        def write(connection: Connection) -> None:
            connection.execute("UPDATE requests SET delivered = 1 WHERE id = ?", (known.id,))
            if known.waiter is not None:
                waiters.leave(connection, known.waiter)

        await self._database.write(write, durable=False)

    async def leave(self, waiter: Waiter, now: float) -> Standing:
        """The client has gone without the answer, as it may have before: how the request stands."""

        def write(connection: Connection) -> Standing:
            _lock(connection, waiter.request)
            waiters.leave(connection, waiter)
            if waiters.waited_for(connection, waiter.request, now):
                return "waited_for"
            sql = "SELECT 1 FROM requests WHERE id = ? AND delivered = 1"
            if connection.execute(sql, (waiter.request,)).fetchone() is not None:
                return "delivered"
            connection.execute("UPDATE requests SET abandoned = 1 WHERE id = ?", (waiter.request,))
            return "abandoned"

        return await self._database.write(write, durable=False)

    async def answered(self, waiter: Waiter) -> None:
        """The client has been told something else than the answer, and waits no more."""
        await self._database.write(lambda connection: waiters.leave(connection, waiter), durable=False)

    async def renew(self, waiting: Iterable[Waiter], now: float) -> None:
        """These clients wait still."""
        await self._database.write(lambda connection: waiters.renew(connection, waiting, now), durable=False)

    async def prune(self, now: float) -> int:
        """Forget what is older than `KEPT`; how many those were."""

        def write(connection: Connection) -> int:
            waiters.prune(connection, now)
            return connection.execute("DELETE FROM requests WHERE received < ?", (now - KEPT,)).rowcount

        return await self._database.write(write)


def _lock(connection: Connection, id: str) -> None:
    """Nobody else joins or leaves the request before this transaction ends."""
    connection.execute("UPDATE requests SET received = received WHERE id = ?", (id,))


def _joined(connection: Connection, known: Known, client: str, now: float) -> Known:
    _lock(connection, known.id)
    waiters.join(connection, waiter := Waiter(known.id, client), now)
    abandoned = connection.execute("SELECT 1 FROM requests WHERE id = ? AND abandoned = 1", (known.id,)).fetchone()
    return replace(known, waiter=waiter, abandoned=abandoned is not None)


def _undelivered(connection: Connection, request: Received, now: float) -> Known | None:
    sql = (
        "SELECT id, received, goes_on FROM requests WHERE caller = ? AND path = ? AND body_sha256 = ? AND received > ?"
        " AND idempotency_key IS NULL AND delivered = 0 ORDER BY received DESC LIMIT 1"
    )
    row = connection.execute(sql, (request.caller, request.path, request.body_sha256, now - KEPT)).fetchone()
    return row and _known(row)


def _keyed(connection: Connection, request: Received, now: float) -> Row | None:
    # One that has expired gives its key free.
    same = (request.caller, request.path, request.key)
    where = "caller = ? AND path = ? AND idempotency_key = ?"
    connection.execute(f"DELETE FROM requests WHERE {where} AND received <= ?", (*same, now - KEPT))
    row: Row | None = connection.execute(
        f"SELECT id, received, body_sha256 FROM requests WHERE {where}", same
    ).fetchone()
    return row


def _first(connection: Connection, request: Received, new: Known) -> Known:
    row = _keyed(connection, request, new.received)
    if row is None:
        return new
    if row["body_sha256"] != request.body_sha256:
        raise KeyReused
    return Known(row["id"], row["received"], goes_on=True)


def _known(row: Row) -> Known:
    return Known(row["id"], row["received"], goes_on=bool(row["goes_on"]))
