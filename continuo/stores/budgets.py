"""The money of a tenant's day: what is spent, and what the calls under way may still cost."""

from datetime import date

from continuo.data import Data
from continuo.stores.database import Connection, Database
from continuo.stores.ledger import NANO

_RESERVED = (
    "SELECT COALESCE(SUM(nanousd), 0) AS nanousd FROM reservations"
    " WHERE tenant = ? AND day = ? AND expires > ? AND identity <> ?"
)
_RESERVE = (
    "INSERT INTO reservations (identity, tenant, day, nanousd, expires) VALUES (?, ?, ?, ?, ?) ON CONFLICT (identity)"
    " DO UPDATE SET day = excluded.day, nanousd = excluded.nanousd, expires = excluded.expires"
)


class Balance(Data):
    """USD of one tenant and day; `reserved` is for calls that have not ended."""

    spent: float = 0.0
    reserved: float = 0.0


class Budgets:
    """Money is reserved before a call and settled with its row in the ledger, see `ledger.entry`.

    Times are seconds since 1970. A reservation that nobody settled or released counts until it `expires`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(
        self, identity: str, tenant: str, day: date, usd: float, *, limit: float, now: float, expires: float
    ) -> Balance | None:
        """Set `usd` aside under `identity`, in place of what is under it; if that would exceed `limit`, nothing
        changes and the balance without it is returned."""
        account, amount = (tenant, day.isoformat()), _nano(usd)

        def write(connection: Connection) -> Balance | None:
            connection.execute("DELETE FROM reservations WHERE expires <= ?", (now,))
            # The row is locked by this: whoever else reserves for the tenant waits until we are done.
            sql = (
                "INSERT INTO accounts (tenant, day) VALUES (?, ?)"
                " ON CONFLICT (tenant, day) DO UPDATE SET day = excluded.day RETURNING spent_nanousd"
            )
            spent = connection.execute(sql, account).fetchone()["spent_nanousd"]
            reserved = int(connection.execute(_RESERVED, (*account, now, identity)).fetchone()["nanousd"])
            if spent + reserved + amount > _nano(limit):
                return Balance(spent=spent / NANO, reserved=reserved / NANO)
            connection.execute(_RESERVE, (identity, *account, amount, expires))
            return None

        return await self._database.write(write)

    async def release(self, identity: str) -> None:
        """Give back what an attempt that cost nothing had set aside."""
        sql = "DELETE FROM reservations WHERE identity = ?"
        await self._database.write(lambda connection: connection.execute(sql, (identity,)).rowcount)

    async def balance(self, tenant: str, day: date, now: float) -> Balance:
        account = (tenant, day.isoformat())
        spent = await self._database.read("SELECT spent_nanousd FROM accounts WHERE tenant = ? AND day = ?", account)
        reserved = await self._database.read(_RESERVED, (*account, now, ""))
        return Balance(
            spent=spent[0]["spent_nanousd"] / NANO if spent else 0.0, reserved=int(reserved[0]["nanousd"]) / NANO
        )


def _nano(usd: float) -> int:
    return round(usd * NANO)
