"""Items of kept answers and conversations, in their order, and the media in them, which stand apart from their rows.

Each row belongs to one owner, whose deletion leaves nothing of it behind.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from continuo.stores.database import Connection, Database
from continuo.stores.pruning import PAUSE, PORTION


@dataclass(frozen=True)
class Item:
    """`content` is JSON."""

    id: str
    content: str


@dataclass(frozen=True)
class Content:
    """Items, and the media that these name, by their SHA-256."""

    items: Sequence[Item] = ()
    media: Mapping[str, bytes] = field(default_factory=dict)


async def items_of(database: Database, owners: Sequence[str]) -> dict[str, list[Item]]:
    """The items of each owner, in their order."""
    items: dict[str, list[Item]] = {owner: [] for owner in owners}
    marks = ", ".join("?" * len(owners))
    sql = f"SELECT owner, id, content FROM kept_items WHERE owner IN ({marks}) ORDER BY owner, number"
    for row in await database.read(sql, owners):
        items[row["owner"]].append(Item(row["id"], row["content"]))
    return items


async def media_size(database: Database, owners: Sequence[str]) -> int:
    """How many bytes the media of these owners have together."""
    marks = ", ".join("?" * len(owners))
    sql = f"SELECT COALESCE(SUM(LENGTH(content)), 0) AS size FROM kept_media WHERE owner IN ({marks})"
    return int((await database.read(sql, owners))[0]["size"])


async def media_of(database: Database, owner: str, names: Sequence[str]) -> dict[str, bytes]:
    """The media of that owner with these names."""
    marks = ", ".join("?" * len(names))
    sql = f"SELECT sha256, content FROM kept_media WHERE owner = ? AND sha256 IN ({marks})"
    rows = await database.read(sql, (owner, *names)) if names else []
    return {row["sha256"]: bytes(row["content"]) for row in rows}


def add(connection: Connection, owner: str, content: Content) -> None:
    """Add items behind those that the owner has; the caller holds a lock on the owner."""
    number = _next(connection, owner)
    for at, item in enumerate(content.items, number):
        row = (owner, at, item.id, item.content)
        connection.execute("INSERT INTO kept_items (owner, number, id, content) VALUES (?, ?, ?, ?)", row)
    for name, medium in content.media.items():
        sql = "INSERT INTO kept_media (owner, sha256, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        connection.execute(sql, (owner, name, medium))


def copy(connection: Connection, owner: str, to: str) -> None:
    """Add the items of `owner` behind those of `to`, as `add` does."""
    number = _next(connection, to)
    sql = "INSERT INTO kept_items SELECT ?, number + ?, id, content FROM kept_items WHERE owner = ?"
    connection.execute(sql, (to, number, owner))
    sql = "INSERT INTO kept_media SELECT ?, sha256, content FROM kept_media WHERE owner = ? ON CONFLICT DO NOTHING"
    connection.execute(sql, (to, owner))


def drop(connection: Connection, owners: Sequence[str]) -> None:
    """Delete whatever belongs to these owners."""
    marks = ", ".join("?" * len(owners))
    for table in ("kept_items", "kept_media"):
        connection.execute(f"DELETE FROM {table} WHERE owner IN ({marks})", owners)


async def prune(database: Database, table: str, time: str, before: float) -> None:
    """Delete the owners in `table` whose `time` is before that one, with whatever belongs to them."""
    old = f"SELECT id FROM {table} WHERE {time} < ? ORDER BY {time} LIMIT {PORTION}"

    def write(connection: Connection) -> bool:
        owners = [row["id"] for row in connection.execute(old, (before,)).fetchall()]
        if owners:
            connection.execute(f"DELETE FROM {table} WHERE id IN ({', '.join('?' * len(owners))})", owners)
            drop(connection, owners)
        return len(owners) == PORTION

    full = True
    while full:
        full = await database.write(write)
        await asyncio.sleep(PAUSE)


def _next(connection: Connection, owner: str) -> int:
    sql = "SELECT COALESCE(MAX(number), -1) + 1 AS next FROM kept_items WHERE owner = ?"
    return int(connection.execute(sql, (owner,)).fetchone()["next"])
