"""Large prompts and answers by their SHA-256, each with the time of its last use."""

import asyncio
from collections.abc import Iterable, Mapping

from continuo.stores.database import Connection, Database
from continuo.stores.private import PrivateBytes
from continuo.stores.pruning import PAUSE, PORTION

FRESH = 3600.0
"""Seconds in which what is used again is not written again: the time that is known of a use is late by as much."""

_KEEP = (
    "INSERT INTO payloads (sha256, namespace, used, content) VALUES (?, ?, ?, ?) ON CONFLICT (sha256, namespace)"
    " DO UPDATE SET used = excluded.used WHERE payloads.used < excluded.used"
)


class Payloads:
    """Times are seconds since 1970, given by the caller.

    `namespace` is the id of the one whose histories refer to what is kept: a database may serve several, and none
    knows what another one needs.
    """

    def __init__(self, database: Database, namespace: str) -> None:
        self._database = database
        self._namespace = namespace

    async def keep(self, contents: Mapping[str, bytes], now: float, owner: str | None = None) -> None:
        """Keep each under its name, as used now; `owner` is the id of the workflow, or plain call, that it is of."""
        marks = ", ".join("?" * len(contents))
        sql = f"SELECT sha256 FROM payloads WHERE namespace = ? AND used > ? AND sha256 IN ({marks})"
        fresh = {row["sha256"] for row in await self._database.read(sql, (self._namespace, now - FRESH, *contents))}
        rows = [
            (name, self._namespace, now, PrivateBytes(content))
            for name, content in contents.items()
            if name not in fresh
        ]

        def write(connection: Connection) -> None:
            for row in rows:
                connection.execute(_KEEP, row)
            if owner is not None:
                own(connection, self._namespace, owner, contents)

        if rows or owner is not None:
            await self._database.write(write)

    async def use(self, name: str, now: float) -> bytes | None:
        """What is kept under the name, and from now on, as used now, for this namespace too."""
        content = await find(self._database, name)
        if content is not None:
            await self.keep({name: content}, now)
        return content


def own(connection: Connection, namespace: str, owner: str, names: Iterable[str]) -> None:
    """Note whose these payloads, or turns, are too. No history tells that of all of them."""
    sql = "INSERT INTO payload_owners (namespace, owner, sha256) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    for name in names:
        connection.execute(sql, (namespace, owner, name))


async def drop_owners(database: Database, namespace: str) -> None:
    """Drop what is noted of payloads and turns that are gone."""
    sql = (
        "DELETE FROM payload_owners WHERE (namespace, owner, sha256) IN (SELECT namespace, owner, sha256"
        " FROM payload_owners AS owned WHERE namespace = ?"
        " AND NOT EXISTS (SELECT 1 FROM payloads WHERE sha256 = owned.sha256 AND namespace = owned.namespace)"
        " AND NOT EXISTS (SELECT 1 FROM turns WHERE digest = owned.sha256 AND namespace = owned.namespace)"
        f" LIMIT {PORTION})"
    )
    dropped = PORTION
    while dropped == PORTION:
        dropped = await database.write(lambda connection: connection.execute(sql, (namespace,)).rowcount)
        await asyncio.sleep(PAUSE)


async def find(database: Database, name: str) -> bytes | None:
    """What is kept under the name, whichever namespace needs it."""
    rows = await database.read("SELECT content FROM payloads WHERE sha256 = ? LIMIT 1", (name,))
    return rows[0]["content"] if rows else None
