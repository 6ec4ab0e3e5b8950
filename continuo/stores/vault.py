"""What placeholders stand for, encrypted, as long as somebody may be answered with the values themselves."""

import asyncio
import json
from collections.abc import Mapping

from continuo.protection.encryption import Cipher
from continuo.stores.database import Database
from continuo.stores.private import opened_bytes, sealed_bytes
from continuo.stores.pruning import PAUSE

SCHEDULE = "schedule:"
"""What the owner of a schedule's values begins with; they go with the schedule."""

TOGETHER = 1_000
"""Values dropped in one transaction."""

OWNERS = (
    ("answers", "id"), ("conversations", "id"), ("batches", "id"), ("files", "id"), ("runs", "job"),
    ("runs", "workflow_id"),
)  # fmt: skip
"""Tables and their columns that name an owner. A run is one as long as it has a row."""

Values = Mapping[str, str | int]
"""By placeholder."""


class Vault:
    """Values by their tenant and owner: the id of a kept answer, a conversation, a job, a file, a batch, or a run."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    async def keep(self, tenant: str, owner: str, values: Values, now: float) -> None:
        """Add values to those of the owner; those that it has stay as they are."""
        if not values:
            return
        sql = "INSERT INTO vault (tenant, owner, name, created, content) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        rows = [
            (tenant, owner, name, now, sealed_bytes(self._cipher, json.dumps(value).encode()))
            for name, value in values.items()
        ]
        await self._database.write(lambda connection: [connection.execute(sql, row).rowcount for row in rows])

    async def values(self, tenant: str, *owners: str) -> Values:
        """What was kept for these owners. Raises `InputError` where the key is another one."""
        if not owners:
            return {}
        marks = ", ".join("?" * len(owners))
        # By a name of its own, since an encrypted store looks into `content` with its key, which is another one.
        sql = f"SELECT name, content AS sealed FROM vault WHERE tenant = ? AND owner IN ({marks})"
        rows = await self._database.read(sql, (tenant, *owners))
        return {row["name"]: json.loads(opened_bytes(self._cipher, bytes(row["sealed"]))) for row in rows}

    async def drop(self, tenant: str, owner: str) -> None:
        sql = "DELETE FROM vault WHERE tenant = ? AND owner = ?"
        await self._database.write(lambda connection: connection.execute(sql, (tenant, owner)).rowcount)


async def prune_vault(database: Database, before: float, *, dry_run: bool) -> int:
    """Drop what was kept before then (seconds since 1970) and whose owner is gone; how many values they are."""
    gone = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.tenant = vault.tenant AND {table}.{id} = vault.owner)"
        for table, id in OWNERS
    )
    old = f"FROM vault WHERE created < ? AND substr(owner, 1, {len(SCHEDULE)}) <> '{SCHEDULE}' AND {gone}"
    if dry_run:
        return int((await database.read(f"SELECT COUNT(*) AS count {old}", (before,)))[0]["count"])
    named = "(tenant, owner, name)"
    sql = f"DELETE FROM vault WHERE {named} IN (SELECT tenant, owner, name {old} LIMIT {TOGETHER})"
    count = 0
    while dropped := await database.write(lambda connection: connection.execute(sql, (before,)).rowcount):
        count += dropped
        await asyncio.sleep(PAUSE)
    return count
