"""The ledger: one row for each call that was paid, keyed by the call's identity."""

import sqlite3
from datetime import UTC, datetime

from continuo.jobs import CallRecord, Context
from continuo.stores.database import Database, Operation

_COLUMNS = (
    "identity", "time", "tenant", "user", "pattern", "path", "model", "provider", "status",
    "input_tokens", "output_tokens", "cached_tokens", "estimated", "simulated", "cost_nanousd",
)  # fmt: skip
_INSERT = f"INSERT OR IGNORE INTO ledger ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


def entry(identity: str, record: CallRecord, context: Context, *, simulated: bool) -> Operation:
    """The write of one row. A second row of the same identity is ignored: a call is paid once.

    Costs are whole nano-dollars, so that sums are exact in any order; an unknown cost is NULL, never 0.
    """
    cost = None if record.cost_usd is None else round(record.cost_usd * 1e9)
    usage = record.usage
    row = (
        identity, datetime.now(UTC).isoformat(), context.tenant, context.user, context.pattern, record.path,
        record.model, record.provider, record.status, usage.input_tokens, usage.output_tokens,
        usage.cached_tokens, usage.estimated, simulated, cost,
    )  # fmt: skip
    return lambda connection: connection.execute(_INSERT, row)


class Ledger:
    """What was paid, read from the same database as the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> list[sqlite3.Row]:
        """Every row, oldest first, with the columns of the table `ledger`."""
        return self._database.read("SELECT * FROM ledger ORDER BY time, identity")

    def spent_usd(self, tenant: str) -> float:
        """The known cost of a tenant's calls, in USD."""
        sql = "SELECT COALESCE(SUM(cost_nanousd), 0) AS spent FROM ledger WHERE tenant = ?"
        return float(self._database.read(sql, (tenant,))[0]["spent"]) / 1e9
