"""Files that callers of the gateway send and name again, each of a tenant."""

import asyncio
from dataclasses import dataclass

from continuo.stores.database import Database, Row
from continuo.stores.private import PrivateBytes
from continuo.stores.pruning import PAUSE

TOGETHER = 20
"""Files dropped in one transaction: each may be large."""

_COLUMNS = "id, tenant, created, expires, filename, bytes"


@dataclass(frozen=True)
class StoredFile:
    """What is known of a file; `created` and `expires` are in seconds since 1970, `bytes` is its length."""

    id: str
    tenant: str
    created: float
    expires: float
    filename: str
    bytes: int


class Files:
    """A file that has expired is none, whether it was dropped or not; `now` is in seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: StoredFile, content: bytes) -> None:
        """Keep it; the one that has its id already stays as it is."""
        sql = f"INSERT INTO files ({_COLUMNS}, content) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        known = (file.id, file.tenant, file.created, file.expires, file.filename, file.bytes)
        row = (*known, PrivateBytes(content))
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def find(self, tenant: str, id: str, now: float) -> StoredFile | None:
        sql = f"SELECT {_COLUMNS} FROM files WHERE id = ? AND tenant = ? AND expires > ?"
        rows = await self._database.read(sql, (id, tenant, now))
        return _file(rows[0]) if rows else None

    async def content(self, file: StoredFile) -> bytes | None:
        """Its content; None where it was deleted meanwhile."""
        rows = await self._database.read("SELECT content FROM files WHERE id = ?", (file.id,))
        return bytes(rows[0]["content"]) if rows else None

    async def listed(
        self, tenant: str, now: float, limit: int, *, after: StoredFile | None, newest_first: bool
    ) -> list[StoredFile]:
        """At most so many of the tenant's, behind `after` if it is given."""
        compared, order = ("<", "DESC") if newest_first else (">", "ASC")
        start = (after.created, after.id) if after else (1e300 if newest_first else 0.0, "")
        sql = (
            f"SELECT {_COLUMNS} FROM files WHERE tenant = ? AND expires > ? AND (created, id) {compared} (?, ?)"
            f" ORDER BY created {order}, id {order} LIMIT ?"
        )
        return [_file(row) for row in await self._database.read(sql, (tenant, now, *start, limit))]

    async def delete(self, file: StoredFile) -> None:
        await self._database.write(lambda connection: connection.execute("DELETE FROM files WHERE id = ?", (file.id,)))

    async def prune(self, now: float, *, dry_run: bool) -> int:
        """Drop what has expired; how many they are."""
        if dry_run:
            sql = "SELECT COUNT(*) AS count FROM files WHERE expires <= ?"
            return int((await self._database.read(sql, (now,)))[0]["count"])
        sql, count = f"DELETE FROM files WHERE id IN (SELECT id FROM files WHERE expires <= ? LIMIT {TOGETHER})", 0
        while dropped := await self._database.write(lambda connection: connection.execute(sql, (now,)).rowcount):
            count += dropped
            await asyncio.sleep(PAUSE)
        return count


def _file(row: Row) -> StoredFile:
    return StoredFile(**row)
