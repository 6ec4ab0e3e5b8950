"""Large prompts and answers by their SHA-256, each with the time of its last use."""

from collections.abc import Mapping

from continuo.stores.database import Connection, Database

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

    async def keep(self, contents: Mapping[str, bytes], now: float) -> None:
        """Keep each under its name, as used now."""
        marks = ", ".join("?" * len(contents))
        sql = f"SELECT sha256 FROM payloads WHERE namespace = ? AND used > ? AND sha256 IN ({marks})"
        fresh = {row["sha256"] for row in await self._database.read(sql, (self._namespace, now - FRESH, *contents))}
        rows = [(name, self._namespace, now, content) for name, content in contents.items() if name not in fresh]

        def write(connection: Connection) -> None:
            for row in rows:
                connection.execute(_KEEP, row)

        if rows:
            await self._database.write(write)

    async def use(self, name: str, now: float) -> bytes | None:
        """What is kept under the name, and from now on, as used now, for this namespace too."""
        content = await find(self._database, name)
        if content is not None:
            await self.keep({name: content}, now)
        return content


async def find(database: Database, name: str) -> bytes | None:
    """What is kept under the name, whichever namespace needs it."""
    rows = await database.read("SELECT content FROM payloads WHERE sha256 = ? LIMIT 1", (name,))
    return rows[0]["content"] if rows else None
