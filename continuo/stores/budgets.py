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
    "INSERT INTO reservations (identity, attempt, tenant, day, nanousd, expires) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET"
    " attempt = excluded.attempt, day = excluded.day, nanousd = excluded.nanousd, expires = excluded.expires"
)


class Balance(Data):
    """USD of one tenant and day; `reserved` is for calls that have not ended."""

    spent: float = 0.0
    reserved: float = 0.0


class Reservation(Data):
    """USD that an attempt of a call may cost at most, until it `expires`."""

    identity: str
    attempt: int
    tenant: str
    day: date
    usd: float
    expires: float


class Budgets:
    """Money is reserved before a call and settled with its row in the ledger, see `ledger.entry`.

    Times are seconds since 1970. A reservation that nobody settled or released counts until it `expires`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Reservation, *, limit: float, now: float) -> Balance | None:
        """Set money aside, in place of what an earlier attempt has; if that would exceed `limit` (USD), nothing
        changes and the balance without it is returned."""
        account, amount = (wanted.tenant, wanted.day.isoformat()), _nano(wanted.usd)

        def write(connection: Connection) -> Balance | None:
            connection.execute("DELETE FROM reservations WHERE expires <= ?", (now,))
            # The row is locked by this: whoever else reserves for the tenant waits until we are done.
            sql = (
                "INSERT INTO accounts (tenant, day) VALUES (?, ?)"
                " ON CONFLICT (tenant, day) DO UPDATE SET day = excluded.day RETURNING spent_nanousd"
            )
            spent = connection.execute(sql, account).fetchone()["spent_nanousd"]
            reserved = int(connection.execute(_RESERVED, (*account, now, wanted.identity)).fetchone()["nanousd"])
            if spent + reserved + amount > _nano(limit):
                return Balance(spent=spent / NANO, reserved=reserved / NANO)
            row = (wanted.identity, wanted.attempt, *account, amount, wanted.expires)
            connection.execute(_RESERVE, row)
            return None

        # Lost with the machine's power, and so are the calls that it is for.
        return await self._database.write(write, durable=False)

    async def release(self, identity: str, attempt: int) -> None:
        """Give back what an attempt that cost nothing had set aside, but not what a later one has."""
        sql = "DELETE FROM reservations WHERE identity = ? AND attempt = ?"
        row = (identity, attempt)
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount, durable=False)

    async def balance(self, tenant: str, day: date, now: float) -> Balance:
        account = (tenant, day.isoformat())
        spent = await self._database.read("SELECT spent_nanousd FROM accounts WHERE tenant = ? AND day = ?", account)
        reserved = await self._database.read(_RESERVED, (*account, now, ""))
        return Balance(
            spent=spent[0]["spent_nanousd"] / NANO if spent else 0.0, reserved=int(reserved[0]["nanousd"]) / NANO
        )


def _nano(usd: float) -> int:
    return round(usd * NANO)
