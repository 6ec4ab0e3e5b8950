"""Conversations, each of a tenant; their items are those that they own, see `continuo.stores.items`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from continuo.stores.database import Connection, Database
from continuo.stores.items import Content, Size, add, drop, prune, size_in

ROOM = 1024 * 1024
"""Bytes of text that are kept free in a conversation for each answer that is to come."""


@dataclass(frozen=True)
class Conversation:
    """`created` is in seconds since 1970."""

    id: str
    tenant: str
    created: float
    metadata: Mapping[str, str]


class Conversations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: Conversation, content: Content) -> None:
        row = (new.id, new.tenant, new.created, new.created, json.dumps(new.metadata))

        def write(connection: Connection) -> None:
            sql = "INSERT INTO conversations (id, tenant, created, used, metadata) VALUES (?, ?, ?, ?, ?)"
            # Repeated after a connection that broke at the commit: it is there, with its items.
            if connection.execute(f"{sql} ON CONFLICT DO NOTHING", row).rowcount:
                add(connection, new.id, content)

        await self._database.write(write)

    async def find(self, tenant: str, id: str) -> Conversation | None:
        sql = "SELECT id, tenant, created, metadata FROM conversations WHERE id = ? AND tenant = ?"
        rows = await self._database.read(sql, (id, tenant))
        return Conversation(**{**rows[0], "metadata": json.loads(rows[0]["metadata"])}) if rows else None

    async def describe(self, id: str, metadata: Mapping[str, str]) -> None:
        """Give it other metadata."""
        row = (json.dumps(metadata), id)
        sql = "UPDATE conversations SET metadata = ? WHERE id = ?"
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def add(self, id: str, content: Content, now: float, check: Callable[[Size], None]) -> None:
        """Add items, unless the last of them is there already. `check` raises where it would have too much then."""

        def write(connection: Connection) -> None:
            locked = connection.execute("UPDATE conversations SET used = ? WHERE id = ?", (now, id)).rowcount
            sql = "SELECT id FROM kept_items WHERE owner = ? AND id = ?"
            if locked and connection.execute(sql, (id, content.items[-1].id)).fetchone() is None:
                check(taken(connection, id) + content.size)
                add(connection, id, content)

        await self._database.write(write)

    async def delete(self, id: str) -> None:
        """Delete it with all its items; responses that were made in it stay."""

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM conversations WHERE id = ?", (id,))
            drop(connection, [id])

        await self._database.write(write)

    async def prune(self, before: float) -> None:
        """Delete those that nothing was added to since that time."""
        await prune(self._database, "conversations", "used", before)


def taken(connection: Connection, id: str) -> Size:
    """What the conversation has, and what answers to come are to add to it; the caller holds a lock on it."""
    sql = "SELECT id FROM answers WHERE conversation = ? AND status = 'in_progress'"
    to_come = [row["id"] for row in connection.execute(sql, (id,)).fetchall()]
    return size_in(connection, [id, *to_come]) + Size(text=ROOM * len(to_come))
