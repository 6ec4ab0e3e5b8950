"""The journal: the answer of each call, by the call's identity, so that no answer is paid for twice."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from continuo.jobs import Outcome
from continuo.stores.database import Connection, Database, Row
from continuo.stores.ledger import Settlement, attempt_key, attempt_number, book_lost, settle
from continuo.stores.private import PrivateText

if TYPE_CHECKING:
    # What counts nothing does not load it.
    from continuo.operations.metrics import Meter

_INSERT = (
    "INSERT INTO journal (identity, time, outcome, namespace, question) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class Journal:
    """An attempt that finds its answer here returns it and pays nothing. `meter` counts what is paid, and `namespace`
    is the id of the one where the runs are."""

    def __init__(self, database: Database, meter: "Meter | None" = None, namespace: str = "") -> None:
        self._database = database
        self._meter = meter
        self._namespace = namespace

    async def find(self, identity: str, question: str | None = None) -> Outcome | None:
        """The call's answer. Where it has none it takes one to the same `question` from another namespace, which was
        lost: that is its own from then on, so that a run which is begun again after a failure asks anew."""
        sql = (
            "SELECT identity, namespace, taken, outcome FROM journal"
            " WHERE identity = ? OR (question = ? AND (namespace <> ? OR taken = ?)) ORDER BY time, identity"
        )
        rows = await self._database.read(sql, (identity, question, self._namespace, identity))
        own = [row for row in rows if identity in (row["identity"], row["taken"])]
        for row in own or rows:
            if own or await self._take(row, identity):
                return Outcome.model_validate_json(row["outcome"])
        return None

    async def _take(self, row: Row, identity: str) -> bool:
        """Whether no other call has been quicker."""
        sql = "UPDATE journal SET namespace = ?, taken = ? WHERE identity = ? AND namespace = ?"
        values = (self._namespace, identity, row["identity"], row["namespace"])
        return bool(await self._database.write(lambda connection: connection.execute(sql, values).rowcount))

    async def settle(self, settlement: Settlement) -> None:
        """Keep an attempt's answer, if it has one, and what it cost, in one transaction with the budget."""
        answer = settlement.outcome
        kept = None if answer is None else answer.model_dump_json(exclude_defaults=True)

        def write(connection: Connection) -> bool:
            if kept is not None:
                now, own = datetime.now(UTC).isoformat(), (self._namespace, settlement.question)
                connection.execute(_INSERT, (settlement.identity, now, PrivateText(kept), *own))
            return settle(connection, settlement)

        # Without a row there is nothing that a loss of power could take.
        paid = settlement.paid
        new = await self._database.write(write, durable=paid is not None)
        if new and paid is not None and self._meter is not None:
            self._meter.booked(paid.context, paid.record)

    async def attempts(self, identity: str, until: int) -> list[Row]:
        """The rows of the ledger of a call: of its answer, and of the attempts 1 to `until` that gave none."""
        keys = (identity, *(attempt_key(identity, number) for number in range(1, until + 1)))
        marks = ", ".join("?" * len(keys))
        return await self._database.read(f"SELECT * FROM ledger WHERE identity IN ({marks}) ORDER BY identity", keys)

    async def next_attempt(self, identity: str, until: int) -> int:
        """A number above those of the attempts, up to `until`, that have reserved or cost anything."""
        reserved = await self._database.read("SELECT attempt FROM reservations WHERE identity = ?", (identity,))
        booked = await self.attempts(identity, until)
        lost = [attempt_number(row) for row in booked if row["identity"] != identity]
        return 1 + max([0, *(int(row["attempt"]) for row in reserved), *lost])

    async def of_run(self, run_id: str) -> list[Row]:
        """The rows of the ledger of all calls that the workflow of that run made itself, those of a call together."""
        return await self._database.read(
            "SELECT * FROM ledger WHERE substr(identity, 1, 36) = ? ORDER BY identity", (run_id,)
        )

    async def close(self, identity: str) -> None:
        """The call has ended for good: an attempt that is still reserved died, and is booked at what it may cost."""

        def write(connection: Connection) -> None:
            sql = "DELETE FROM reservations WHERE identity = ? RETURNING *"
            book_lost(connection, connection.execute(sql, (identity,)).fetchall())

        await self._database.write(write)
