"""The money of a tenant's day: what is spent, and what the calls under way may still cost."""

from datetime import date

from continuo.data import Data
from continuo.money import NANO
from continuo.stores.database import Connection, Database
from continuo.stores.ledger import Paid, book_lost

_RESERVED = (
    "SELECT COALESCE(SUM(nanousd), 0) AS nanousd FROM reservations WHERE tenant = ? AND day = ? AND identity <> ?"
)
_RESERVE = (
    "INSERT INTO reservations (identity, attempt, tenant, day, nanousd, expires, paid) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET attempt = excluded.attempt, day = excluded.day,"
    " nanousd = excluded.nanousd, expires = excluded.expires, paid = excluded.paid"
)


class Balance(Data):
    """USD of one tenant and day; `reserved` is for calls that have not ended."""

    spent: float = 0.0
    reserved: float = 0.0


class Reservation(Data):
    """USD that an attempt of a call may cost at most, until it `expires`.

    `paid` is what is booked if the attempt dies without a word: it was sent, and may have been answered.
    """

    identity: str
    attempt: int
    tenant: str
    day: date
    usd: float
    expires: float
    paid: Paid | None = None


class Budgets:
    """Money is reserved before a call and settled at its end, see `ledger.settle`.

    Times are seconds since 1970. A reservation that nobody settled, or whose call is attempted again, is booked.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Reservation, *, limit: float | None, now: float) -> Balance | None:
        """Set money aside; if that would exceed `limit` (USD), nothing is and the balance without it is returned.

        What an earlier attempt of the call has reserved, and all that has expired, is booked first.
        """
        account, amount = (wanted.tenant, wanted.day.isoformat()), _nano(wanted.usd)

        def write(connection: Connection) -> Balance | None:
            sql = "DELETE FROM reservations WHERE expires <= ? OR (identity = ? AND attempt < ?) RETURNING *"
            book_lost(connection, connection.execute(sql, (now, wanted.identity, wanted.attempt)).fetchall())
            # The row is locked by this: whoever else reserves for the tenant waits until we are done.
            sql = (
                "INSERT INTO accounts (tenant, day) VALUES (?, ?)"
                " ON CONFLICT (tenant, day) DO UPDATE SET day = excluded.day RETURNING spent_nanousd"
            )
            spent = connection.execute(sql, account).fetchone()["spent_nanousd"]
            reserved = int(connection.execute(_RESERVED, (*account, wanted.identity)).fetchone()["nanousd"])
            if limit is not None and spent + reserved + amount > _nano(limit):
                return Balance(spent=spent / NANO, reserved=reserved / NANO)
            paid = wanted.paid.model_dump_json(exclude_defaults=True) if wanted.paid else None
            row = (wanted.identity, wanted.attempt, *account, amount, wanted.expires, paid)
            connection.execute(_RESERVE, row)
            return None

        # Lost with the machine's power, and so are the calls that it is for.
        return await self._database.write(write, durable=False)

    async def balance(self, tenant: str, day: date) -> Balance:
        account = (tenant, day.isoformat())
        spent = await self._database.read("SELECT spent_nanousd FROM accounts WHERE tenant = ? AND day = ?", account)
        reserved = await self._database.read(_RESERVED, (*account, ""))
        return Balance(
            spent=spent[0]["spent_nanousd"] / NANO if spent else 0.0, reserved=int(reserved[0]["nanousd"]) / NANO
        )


def _nano(usd: float) -> int:
    return round(usd * NANO)
