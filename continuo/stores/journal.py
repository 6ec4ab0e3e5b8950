"""The journal: the answer of each call, by the call's identity, so that no answer is paid for twice."""

from datetime import UTC, date, datetime

from continuo.jobs import CallRecord, Context, Outcome
from continuo.stores.database import Connection, Database
from continuo.stores.ledger import entry


class Journal:
    """An attempt that finds its answer here returns it and pays nothing. `today` is the tenant's day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, identity: str) -> Outcome | None:
        rows = await self._database.read("SELECT outcome FROM journal WHERE identity = ?", (identity,))
        return Outcome.model_validate_json(rows[0]["outcome"]) if rows else None

    async def record(self, identity: str, outcome: Outcome, context: Context, today: date) -> None:
        """Keep an answer and what it cost, in one transaction, and settle what was reserved for it."""
        row = (identity, datetime.now(UTC).isoformat(), outcome.model_dump_json(exclude_defaults=True))
        record, simulated = outcome.calls[0], outcome.simulated
        pay = entry(identity, record, context, today, reserved=identity, simulated=simulated)

        def write(connection: Connection) -> None:
            connection.execute("INSERT INTO journal VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
            pay(connection)

        await self._database.write(write)

    async def charge(self, identity: str, attempt: int, record: CallRecord, context: Context, today: date) -> None:
        """Keep what an attempt cost that gave no answer, such as a refusal, and settle what was reserved for it."""
        key = f"{identity}#{attempt}"
        await self._database.write(entry(key, record, context, today, reserved=identity, simulated=False))
