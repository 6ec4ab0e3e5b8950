"""The ledger: one row for each call that was paid, keyed by the call's identity."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from continuo.jobs import CallRecord, Context
from continuo.stores.database import Connection

NANO = 10**9
"""Costs are kept as whole nano-dollars, so that sums are exact in any order."""

_COLUMNS = (
    "identity", "time", "tenant", '"user"', "pattern", "path", "model", "provider", "status",
    "input_tokens", "output_tokens", "cached_tokens", "estimated", "simulated", "cost_nanousd", "day",
)  # fmt: skip
_INSERT = f"INSERT INTO ledger ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT DO NOTHING"
_SPEND = (
    "INSERT INTO accounts (tenant, day, spent_nanousd) VALUES (?, ?, ?)"
    " ON CONFLICT (tenant, day) DO UPDATE SET spent_nanousd = accounts.spent_nanousd + excluded.spent_nanousd"
)


def entry(
    identity: str, record: CallRecord, context: Context, today: date, *, reserved: str, simulated: bool
) -> Callable[[Connection], None]:
    """The write of one row, which settles the reservation under `reserved` if there is one.

    A second row of the same identity is ignored: a call is paid once. An unknown cost is NULL, never 0. The cost
    belongs to the tenant's day on which it was reserved, else to `today`.
    """
    cost = None if record.cost_usd is None else round(record.cost_usd * NANO)
    usage = record.usage
    row = (
        identity, datetime.now(UTC).isoformat(), context.tenant, context.user, context.pattern, record.path,
        record.model, record.provider, record.status, usage.input_tokens, usage.output_tokens,
        usage.cached_tokens, int(usage.estimated), int(simulated), cost,
    )  # fmt: skip

    def write(connection: Connection) -> None:
        found = connection.execute("DELETE FROM reservations WHERE identity = ? RETURNING day", (reserved,)).fetchone()
        day = found["day"] if found else today.isoformat()
        if connection.execute(_INSERT, (*row, day)).rowcount:
            connection.execute(_SPEND, (context.tenant, day, cost or 0))

    return write
