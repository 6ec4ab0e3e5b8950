"""The money of a tenant's day, and of a key's day and month: what is spent, and what calls under way may still cost."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Literal

from continuo.data import Data
from continuo.jobs import KeyTerms
from continuo.money import NANO
from continuo.operations.events import Event, of_budget
from continuo.stores.database import Connection, Database
from continuo.stores.events import enter_events
from continuo.stores.ledger import Paid, book_lost, periods

_RESERVED = (
    "SELECT COALESCE(SUM(nanousd), 0) AS nanousd FROM reservations WHERE tenant = ? AND day = ? AND identity <> ?"
)
_RESERVED_BY_KEY = (
    "SELECT COALESCE(SUM(nanousd), 0) AS nanousd FROM reservations"
    " WHERE api_key = ? AND substr(day, 1, ?) = ? AND identity <> ?"
)
_RESERVE = (
    "INSERT INTO reservations (identity, attempt, tenant, day, nanousd, expires, paid, api_key)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET attempt = excluded.attempt, day = excluded.day,"
    " nanousd = excluded.nanousd, expires = excluded.expires, paid = excluded.paid"
)


class Balance(Data):
    """USD of one budget; `reserved` is for calls that have not ended."""

    of: Literal["tenant's day", "key's day", "key's month"] = "tenant's day"
    spent: float = 0.0
    reserved: float = 0.0


class Reservation(Data):
    """USD that an attempt of a call may cost at most, until it `expires`; `key` is that of the caller.

    `paid` is what is booked if the attempt dies without a word: it was sent, and may have been answered.
    """

    identity: str
    attempt: int
    tenant: str
    day: date
    usd: float
    expires: float
    paid: Paid | None = None
    key: KeyTerms | None = None


class Budgets:
    """Money is reserved before a call and settled at its end, see `ledger.settle`.

    Times are seconds since 1970. A reservation that nobody settled, or whose call is attempted again, is booked.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Reservation, *, limit: float | None, now: float) -> Balance | None:
        """Set money aside; if that would exceed `limit` (USD of the tenant's day) or a budget of the key, nothing is,
        and the balance without it is returned.

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
                event = of_budget(wanted.tenant, wanted.tenant, wanted.day, limit, datetime.now(UTC))
                enter_events(connection, [event])
                return Balance(spent=spent / NANO, reserved=reserved / NANO)
            for balance, most in _balances_of_key(connection, wanted):
                if most is not None and _nano(balance.spent) + _nano(balance.reserved) + amount > _nano(most):
                    enter_events(connection, [_of_key(wanted, balance, most)])
                    return balance
            paid = wanted.paid.model_dump_json(exclude_defaults=True) if wanted.paid else None
            key = wanted.key.id if wanted.key else None
            row = (wanted.identity, wanted.attempt, *account, amount, wanted.expires, paid, key)
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


def _balances_of_key(connection: Connection, wanted: Reservation) -> Iterator[tuple[Balance, float | None]]:
    """The balance of the key's day and that of its month, each with its limit; their rows are locked."""
    key = wanted.key
    if key is None or (key.daily_usd is None and key.monthly_usd is None):
        return
    day, month = periods(wanted.day.isoformat())
    budgets = (("key's day", day, key.daily_usd), ("key's month", month, key.monthly_usd))
    for of, period, limit in budgets:
        sql = (
            "INSERT INTO key_accounts (api_key, period) VALUES (?, ?)"
            " ON CONFLICT (api_key, period) DO UPDATE SET period = excluded.period RETURNING spent_nanousd"
        )
        spent = connection.execute(sql, (key.id, period)).fetchone()["spent_nanousd"]
        own = (key.id, len(period), period, wanted.identity)
        reserved = int(connection.execute(_RESERVED_BY_KEY, own).fetchone()["nanousd"])
        yield Balance.model_validate({"of": of, "spent": spent / NANO, "reserved": reserved / NANO}), limit


def _of_key(wanted: Reservation, balance: Balance, limit: float) -> Event:
    assert wanted.key is not None
    day, month = periods(wanted.day.isoformat())
    period = day if balance.of == "key's day" else month
    return of_budget(f"{wanted.tenant}/{wanted.key.id}", wanted.tenant, period, limit, datetime.now(UTC))


def _nano(usd: float) -> int:
    return round(usd * NANO)
