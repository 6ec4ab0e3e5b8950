"""Items of kept answers and conversations, in their order, and the media in them, which stand apart from their rows.

Each row belongs to one owner, whose deletion leaves nothing of it behind.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from continuo.stores.database import Connection, Database, Row
from continuo.stores.private import PrivateBytes, PrivateText
from continuo.stores.pruning import PAUSE, PORTION

_NAME = re.compile('"([0-9a-f]{64})"')


@dataclass(frozen=True)
class Item:
    """`content` is JSON, in which each medium that stands apart is a string: its SHA-256."""

    id: str
    content: str


@dataclass(frozen=True)
class Size:
    """How many items, and bytes of their text and of their media."""

    items: int = 0
    text: int = 0
    media: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.items + other.items, self.text + other.text, self.media + other.media)


@dataclass(frozen=True)
class Content:
    """Items, and the media that these name, by their SHA-256."""

    items: Sequence[Item] = ()
    media: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> Size:
        text = sum(len(item.content) for item in self.items)
        return Size(len(self.items), text, sum(map(len, self.media.values())))


async def items_of(database: Database, owners: Sequence[str]) -> dict[str, list[Item]]:
    """The items of each owner, in their order."""
    items: dict[str, list[Item]] = {owner: [] for owner in owners}
    marks = ", ".join("?" * len(owners))
    sql = f"SELECT owner, id, content FROM kept_items WHERE owner IN ({marks}) ORDER BY owner, number"
    for row in await database.read(sql, owners):
        items[row["owner"]].append(Item(row["id"], row["content"]))
    return items


async def item_of(database: Database, owner: str, id: str) -> Item | None:
    rows = await database.read("SELECT content FROM kept_items WHERE owner = ? AND id = ?", (owner, id))
    return Item(id, rows[0]["content"]) if rows else None


async def size_of(database: Database, owners: Sequence[str]) -> Size:
    """What these owners have together."""
    [items], [media] = [await database.read(sql, owners) for sql in _sizes(owners)]
    return _size(items, media)


def size_in(connection: Connection, owners: Sequence[str]) -> Size:
    """The same inside of a transaction."""
    items, media = [connection.execute(sql, owners).fetchone() for sql in _sizes(owners)]
    return _size(items, media)


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
        row = (owner, at, item.id, PrivateText(item.content))
        connection.execute("INSERT INTO kept_items (owner, number, id, content) VALUES (?, ?, ?, ?)", row)
    for name, medium in content.media.items():
        sql = "INSERT INTO kept_media (owner, sha256, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        connection.execute(sql, (owner, name, PrivateBytes(medium)))


def copy(connection: Connection, owner: str, to: str) -> None:
    """Add the items of `owner` behind those of `to`, as `add` does."""
    number = _next(connection, to)
    sql = "INSERT INTO kept_items SELECT ?, number + ?, id, content FROM kept_items WHERE owner = ?"
    connection.execute(sql, (to, number, owner))
    sql = "INSERT INTO kept_media SELECT ?, sha256, content FROM kept_media WHERE owner = ? ON CONFLICT DO NOTHING"
    connection.execute(sql, (to, owner))


async def drop_item(database: Database, conversation: str, id: str) -> bool:
    """Delete an item, and the media that no other one of the conversation names; whether there was one."""
    was_there = dropped = False
    while not dropped:
        items = (await items_of(database, [conversation]))[conversation]
        if all(item.id != id for item in items):
            break
        # In a thread, and before anything is locked, since they may be many.
        alone, was_there = await asyncio.to_thread(_named_alone, items, id), True
        dropped = await database.write(partial(_drop_item, conversation, id, [item.id for item in items], alone))
    return was_there


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


def _sizes(owners: Sequence[str]) -> list[str]:
    marks = ", ".join("?" * len(owners))
    sql = f"SELECT COUNT(*) AS count, COALESCE(SUM(LENGTH(content)), 0) AS size FROM {{}} WHERE owner IN ({marks})"
    return [sql.format(table) for table in ("kept_items", "kept_media")]


def _size(items: Row, media: Row) -> Size:
    return Size(int(items["count"]), int(items["size"]), int(media["size"]))


def _next(connection: Connection, owner: str) -> int:
    sql = "SELECT COALESCE(MAX(number), -1) + 1 AS next FROM kept_items WHERE owner = ?"
    return int(connection.execute(sql, (owner,)).fetchone()["next"])


def _named_alone(items: Sequence[Item], id: str) -> list[str]:
    """The media that this item names, and no other."""
    names, others = set[str](), set[str]()
    for item in items:
        (names if item.id == id else others).update(_NAME.findall(item.content))
    return sorted(names - others)


def _drop_item(conversation: str, id: str, known: list[str], media: list[str], connection: Connection) -> bool:
    """False, and nothing is done, where the conversation has other items than those `known` by now."""
    connection.execute("UPDATE conversations SET used = used WHERE id = ?", (conversation,))
    sql = "SELECT id FROM kept_items WHERE owner = ? ORDER BY number"
    if [row["id"] for row in connection.execute(sql, (conversation,)).fetchall()] != known:
        return False
    connection.execute("DELETE FROM kept_items WHERE owner = ? AND id = ?", (conversation, id))
    for start in range(0, len(media), PORTION):
        names = media[start : start + PORTION]
        marks = ", ".join("?" * len(names))
        connection.execute(f"DELETE FROM kept_media WHERE owner = ? AND sha256 IN ({marks})", (conversation, *names))
    return True
