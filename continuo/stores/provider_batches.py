"""The batches that were sent to providers: noted before they are sent, known by the provider's id from then on."""

from collections.abc import Sequence

from continuo.money import NANO
from continuo.operations.provider_batches import Sent
from continuo.stores.batches import batch_key
from continuo.stores.database import Database


class SentBatches:
    """Those of one namespace of Temporal; each belongs to one of our batches, by its tenant and id."""

    def __init__(self, database: Database, namespace: str) -> None:
        self._database = database
        self._namespace = namespace

    async def intend(self, tenant: str, id: str, sent: Sent) -> None:
        """Note that it is about to be sent; what was noted of it before is replaced."""
        key, usd = batch_key(self._namespace, tenant, id), round((sent.unanswered.cost_usd or 0.0) * NANO)
        row = (sent.token, key, sent.created, sent.remote, usd, sent.model_dump_json())
        sql = (
            "INSERT INTO provider_batches (token, batch, created, remote, nanousd, sent) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (token) DO UPDATE SET nanousd = excluded.nanousd, sent = excluded.sent"
        )
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def taken(self, token: str, remote: str) -> None:
        """Keep the provider's id of it."""
        sql = "UPDATE provider_batches SET remote = ? WHERE token = ?"
        await self._database.write(lambda connection: connection.execute(sql, (remote, token)).rowcount)

    async def forget(self, token: str) -> None:
        """The provider has not taken it."""
        sql = "DELETE FROM provider_batches WHERE token = ?"
        await self._database.write(lambda connection: connection.execute(sql, (token,)).rowcount)

    async def end(self, token: str, lost_usd: float = 0.0) -> None:
        """It is under way no more; `lost_usd` is what it may have cost with nothing to show for it."""
        row = (round(lost_usd * NANO), token)
        sql = "UPDATE provider_batches SET ended = 1, nanousd = ? WHERE token = ?"
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def under_way(self, tenant: str, id: str) -> list[Sent]:
        """In the order in which they were sent."""
        sql = "SELECT sent, remote FROM provider_batches WHERE batch = ? AND ended = 0 ORDER BY created, token"
        rows = await self._database.read(sql, (batch_key(self._namespace, tenant, id),))
        return [Sent.model_validate_json(row["sent"]).model_copy(update={"remote": row["remote"]}) for row in rows]

    async def usd(self, tenant: str, id: str) -> float:
        """What those under way may cost, and those that are lost may have cost."""
        sql = "SELECT COALESCE(SUM(nanousd), 0) AS nanousd FROM provider_batches WHERE batch = ?"
        rows = await self._database.read(sql, (batch_key(self._namespace, tenant, id),))
        return int(rows[0]["nanousd"]) / NANO

    async def known(self, since: float) -> Sequence[str]:
        """The providers' ids of all that were sent since then, whoever sent them."""
        sql = "SELECT remote FROM provider_batches WHERE created >= ? AND remote IS NOT NULL"
        return [row["remote"] for row in await self._database.read(sql, (since,))]
