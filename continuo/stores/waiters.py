"""Clients that wait for the run of a request, at whatever gateway: each for a while, and again as long as it does.

So a process that is killed leaves none behind.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from continuo.stores.database import Connection

LEASE = 30.0
"""Seconds for which a client counts as waiting since that was last said."""

KEPT = 3600.0
"""Seconds after which one that has not said so is forgotten."""


@dataclass(frozen=True)
class Waiter:
    """One client, with an id of its own, that waits for the run of the request with the id `request`."""

    request: str
    id: str


def join(connection: Connection, waiter: Waiter, now: float) -> None:
    sql = "INSERT INTO waiters (request, waiter, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    connection.execute(sql, (waiter.request, waiter.id, now + LEASE))


def leave(connection: Connection, waiter: Waiter) -> None:
    connection.execute("DELETE FROM waiters WHERE request = ? AND waiter = ?", (waiter.request, waiter.id))


def waited_for(connection: Connection, request: str, now: float) -> bool:
    """Whether any client waits for the run of this request."""
    sql = "SELECT 1 FROM waiters WHERE request = ? AND expires > ? LIMIT 1"
    return connection.execute(sql, (request, now)).fetchone() is not None


def renew(connection: Connection, waiters: Iterable[Waiter], now: float) -> None:
    """They wait still."""
    for waiter in waiters:
        sql = "UPDATE waiters SET expires = ? WHERE request = ? AND waiter = ?"
        connection.execute(sql, (now + LEASE, waiter.request, waiter.id))


def prune(connection: Connection, now: float) -> None:
    """Forget those of processes that were killed, and of none that could only not say for a while that it waits."""
    connection.execute("DELETE FROM waiters WHERE expires <= ?", (now - KEPT,))
