"""Batches: a row for each, and one for each of their items with its input and its result."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from continuo.money import NANO
from continuo.operations.batches import BatchRow, BatchState, Begun, Ended, Item, ItemState, Page, Tally, Terms
from continuo.stores.database import Connection, Database, Row
from continuo.stores.ledger import Paid, Settlement, settle
from continuo.stores.private import PrivateText
from continuo.stores.pruning import PAUSE, PORTION

if TYPE_CHECKING:
    # What counts nothing does not load it.
    from continuo.operations.metrics import Meter

PAGE_BYTES = 256 * 2**10
"""About so many bytes of items are read together; one that is larger comes alone."""

_COLUMNS = "tenant, id, pattern, created, state, digest, ended"
_END = (
    "UPDATE batch_items SET state = ?, result = ?, cost_nanousd = COALESCE(cost_nanousd, 0) + ?, unpriced = ?"
    " WHERE batch = ? AND number = ? AND state = 'waiting'"
)


class Taken(Exception):
    """An item has the id of an earlier one, whose `number` this is."""

    def __init__(self, item: Item, number: int) -> None:
        super().__init__(f"item {item.number} has the id of item {number}")
        self.item = item
        self.number = number


class BatchStore:
    """The batches of one namespace of Temporal. A batch is named by its tenant and its id."""

    def __init__(self, database: Database, namespace: str, meter: "Meter | None" = None) -> None:
        self.database = database
        self._namespace = namespace
        self._meter = meter

    async def create(self, tenant: str, id: str, digest: str, terms: Terms) -> BatchRow:
        """A batch without items, in the state `loading`; the one that is there already stays as it is."""
        pattern = terms.context.pattern
        row = (self._key(tenant, id), self._namespace, tenant, id, pattern, _now(), "loading", digest, _json(terms))
        sql = (
            "INSERT INTO batches (key, namespace, tenant, id, pattern, created, state, digest, terms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        await self.database.write(lambda connection: connection.execute(sql, row))
        known = await self.get(tenant, id)
        assert known is not None
        return known

    async def add(self, tenant: str, id: str, items: Sequence[Item]) -> None:
        """Keep items that wait. Raises `Taken`; nothing of these is kept then."""
        key = self._key(tenant, id)
        sql = (
            "INSERT INTO batch_items (batch, number, own, input, state) VALUES (?, ?, ?, ?, 'waiting')"
            " ON CONFLICT DO NOTHING"
        )

        def write(connection: Connection) -> None:
            for item in items:
                row = (key, item.number, item.own, PrivateText(item.model_dump_json()))
                if connection.execute(sql, row).rowcount or item.own is None:
                    continue
                same = connection.execute("SELECT number FROM batch_items WHERE batch = ? AND own = ?", (key, item.own))
                if (number := same.fetchone()["number"]) != item.number:
                    raise Taken(item, number)

        await self.database.write(write)

    async def drop(self, tenant: str, id: str) -> None:
        """The batch with its items, and what their placeholders stand for."""
        key = self._key(tenant, id)

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM vault WHERE tenant = ? AND owner = ?", (tenant, id))
            connection.execute("DELETE FROM batch_items WHERE batch = ?", (key,))
            _drop_batch(key, connection)

        await self.database.write(write)

    async def get(self, tenant: str, id: str) -> BatchRow | None:
        sql = f"SELECT {_COLUMNS}, key FROM batches WHERE key = ?"
        rows = await self.database.read(sql, (self._key(tenant, id),))
        return next(iter(await self._rows(rows)), None)

    async def listed(self, tenant: str | None, limit: int) -> list[BatchRow]:
        """The newest, of one tenant or of all."""
        whose, values = ("AND tenant = ?", [tenant]) if tenant else ("", [])
        sql = f"SELECT {_COLUMNS}, key FROM batches WHERE namespace = ? {whose} ORDER BY created DESC, key LIMIT ?"
        rows = await self.database.read(sql, (self._namespace, *values, limit))
        return await self._rows(rows)

    async def begin(self, tenant: str, id: str) -> Begun | None:
        """Its terms and how it stands; None where there is no such batch."""
        key = self._key(tenant, id)
        rows = await self.database.read("SELECT terms FROM batches WHERE key = ?", (key,))
        if not rows:
            return None
        return Begun(terms=Terms.model_validate_json(rows[0]["terms"]), tally=(await self._tallies([key]))[key])

    async def terms(self, tenant: str, id: str) -> Terms:
        rows = await self.database.read("SELECT terms FROM batches WHERE key = ?", (self._key(tenant, id),))
        return Terms.model_validate_json(rows[0]["terms"])

    async def put(self, tenant: str, id: str, state: BatchState, terms: Terms | None = None) -> None:
        """Change its state, and its terms if some are given."""
        key, ended = self._key(tenant, id), None if state in ("loading", "planned", "running") else _now()

        def write(connection: Connection) -> None:
            connection.execute("UPDATE batches SET state = ?, ended = ? WHERE key = ?", (state, ended, key))
            if terms is not None:
                connection.execute("UPDATE batches SET terms = ? WHERE key = ?", (_json(terms), key))

        await self.database.write(write)

    async def note(self, tenant: str, id: str, terms: Terms) -> None:
        """Change its terms alone."""
        row = (_json(terms), self._key(tenant, id))
        sql = "UPDATE batches SET terms = ? WHERE key = ?"
        await self.database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def again(self, tenant: str, id: str, states: Sequence[ItemState]) -> int:
        """Let the items in these states wait again; how many they are. What they have cost stays counted."""
        sql = f"UPDATE batch_items SET state = 'waiting' WHERE batch = ? AND state IN ({', '.join('?' * len(states))})"
        values = (self._key(tenant, id), *states)
        return await self.database.write(lambda connection: connection.execute(sql, values).rowcount)

    async def page(self, tenant: str, id: str, after: int, count: int) -> Page:
        """At most `count` items that wait behind the number `after`."""
        sql = (
            "SELECT input, number FROM batch_items WHERE batch = ? AND state = 'waiting' AND number > ?"
            " ORDER BY number LIMIT ?"
        )
        rows = await self.database.read(sql, (self._key(tenant, id), after, count))
        items, size = list[Item](), 0
        for row in rows:
            size += len(row["input"])
            if items and size > PAGE_BYTES:
                break
            items.append(Item.model_validate_json(row["input"]))
        return Page(items=tuple(items), last=len(items) == len(rows) < count)

    async def items(self, tenant: str, id: str, numbers: Sequence[int]) -> list[Item]:
        """Those of these numbers that wait."""
        sql = (
            "SELECT input FROM batch_items WHERE batch = ? AND state = 'waiting'"
            f" AND number IN ({', '.join('?' * len(numbers))})"
        )
        rows = await self.database.read(sql, (self._key(tenant, id), *numbers))
        return [Item.model_validate_json(row["input"]) for row in rows]

    async def waiting(self, tenant: str, id: str, first: int, last: int) -> list[int]:
        """The numbers of the items that wait, of those from `first` to `last`."""
        sql = "SELECT number FROM batch_items WHERE batch = ? AND state = 'waiting' AND number BETWEEN ? AND ?"
        return [row["number"] for row in await self.database.read(sql, (self._key(tenant, id), first, last))]

    async def is_at_provider(self, tenant: str, id: str) -> bool:
        """Whether items of it are in a batch of a provider's that is not known to have ended."""
        sql = "SELECT token FROM provider_batches WHERE batch = ? AND ended = 0"
        return bool(await self.database.read(sql, (self._key(tenant, id),)))

    async def end(self, tenant: str, id: str, ends: Sequence[Ended], settlements: Sequence[Settlement] = ()) -> None:
        """Keep how items have ended, and what that cost, where no run has booked it. An end that is known already
        stays as it is."""
        key = self._key(tenant, id)
        rows = [(*_end(one), key, one.number) for one in ends]

        def write(connection: Connection) -> list[Paid]:
            for row in rows:
                connection.execute(_END, row)
            return [one.paid for one in settlements if settle(connection, one) and one.paid]

        for paid in await self.database.write(write):
            if self._meter is not None:
                self._meter.booked(paid.context, paid.record)

    async def results(
        self, tenant: str, id: str, after: int, count: int, *, inputs: bool = False, waiting: bool = False
    ) -> list[Row]:
        """`number`, `own`, `state`, `result` (JSON of an `Outcome`, or of a `Failure` where it is not `done`) and
        `cost_nanousd` of the next items that have ended, in their order; with `inputs` also `input` (JSON of an
        `Item`), and with `waiting` those of the others too."""
        more, which = ", input" if inputs else "", "" if waiting else " AND state <> 'waiting'"
        sql = (
            f"SELECT number, own, state, result, cost_nanousd{more} FROM batch_items"
            f" WHERE batch = ?{which} AND number > ? ORDER BY number LIMIT ?"
        )
        return await self.database.read(sql, (self._key(tenant, id), after, count))

    async def _rows(self, rows: Sequence[Row]) -> list[BatchRow]:
        tallies = await self._tallies([row["key"] for row in rows])
        return [
            BatchRow(**{name: value for name, value in row.items() if name != "key"}, tally=tallies[row["key"]])
            for row in rows
        ]

    async def _tallies(self, keys: Sequence[str]) -> dict[str, Tally]:
        """How each of these batches stands, by one query."""
        sql = (
            "SELECT batch, state, COUNT(*) AS items, SUM(cost_nanousd) AS cost, SUM(unpriced) AS unpriced"
            f" FROM batch_items WHERE batch IN ({', '.join('?' * len(keys))}) GROUP BY batch, state"
        )
        rows: dict[str, list[Row]] = {key: [] for key in keys}
        for row in await self.database.read(sql, keys) if keys else ():
            rows[row["batch"]].append(row)
        return {key: _tally(some) for key, some in rows.items()}

    def _key(self, tenant: str, id: str) -> str:
        return batch_key(self._namespace, tenant, id)


def _tally(rows: Sequence[Row]) -> Tally:
    """Of the rows of one batch, one a state."""
    counts = {row["state"]: row["items"] for row in rows}
    cost = sum(int(row["cost"] or 0) for row in rows) / NANO
    return Tally(**counts, cost_usd=cost, unpriced=sum(int(row["unpriced"]) for row in rows))


def batch_key(namespace: str, tenant: str, id: str) -> str:
    return f"{namespace}/{tenant}/{id}"


async def prune_batches(database: Database, before: str, *, dry_run: bool) -> int:
    """Drop the batches of all namespaces that began before that time, and neither run nor are planned; how many."""
    sql = "SELECT key FROM batches WHERE state NOT IN ('running', 'planned') AND created < ?"
    keys = [row["key"] for row in await database.read(sql, (before,))]
    for key in () if dry_run else keys:
        dropped = PORTION
        while dropped == PORTION:
            dropped = await database.write(partial(_drop_items, key))
            await asyncio.sleep(PAUSE)
        await database.write(partial(_drop_batch, key))
    return len(keys)


def _drop_items(key: str, connection: Connection) -> int:
    last = (
        f"SELECT MAX(number) FROM (SELECT number FROM batch_items WHERE batch = ? ORDER BY number LIMIT {PORTION}) page"
    )
    return connection.execute(f"DELETE FROM batch_items WHERE batch = ? AND number <= ({last})", (key, key)).rowcount


def _drop_batch(key: str, connection: Connection) -> None:
    connection.execute("DELETE FROM provider_batches WHERE batch = ?", (key,))
    connection.execute("DELETE FROM batches WHERE key = ?", (key,))


def _end(end: Ended) -> tuple[object, ...]:
    result, cost = end.outcome or end.failure, end.cost_usd
    text = result.model_dump_json(exclude_defaults=True) if result else None
    return end.state, text and PrivateText(text), round((cost or 0.0) * NANO), int(cost is None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _json(terms: Terms) -> str:
    return PrivateText(terms.model_dump_json())
