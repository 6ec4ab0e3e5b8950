"""The journal: the answer of each call, by the call's identity, so that no answer is paid for twice."""

import sqlite3
from datetime import UTC, datetime

from continuo.jobs import CallRecord, Context, Outcome
from continuo.stores.database import Database
from continuo.stores.ledger import entry


class Journal:
    """An attempt that finds its answer here returns it and pays nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, identity: str) -> Outcome | None:
        rows = self._database.read("SELECT outcome FROM journal WHERE identity = ?", (identity,))
        return Outcome.model_validate_json(rows[0]["outcome"]) if rows else None

    async def record(self, identity: str, outcome: Outcome, context: Context) -> None:
        """Keep an answer and what it cost, in one transaction."""
        row = (identity, datetime.now(UTC).isoformat(), outcome.model_dump_json(exclude_defaults=True))
        pay = entry(identity, outcome.calls[0], context, simulated=outcome.simulated)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO journal VALUES (?, ?, ?)", row)
            pay(connection)

        await self._database.write(write)

    async def charge(self, identity: str, record: CallRecord, context: Context) -> None:
        """Keep what a call cost that gave no answer, such as a refusal."""
        await self._database.write(entry(identity, record, context, simulated=False))
