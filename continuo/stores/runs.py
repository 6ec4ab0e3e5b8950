"""The table of runs: a row for each, which follows what Temporal knows of it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from continuo.money import NANO
from continuo.operations.audit import Entry
from continuo.operations.events import of_run
from continuo.operations.jobs import JobQuery
from continuo.operations.runs import Mark, RunQuery, RunRow, RunTotals
from continuo.stores.audit import enter
from continuo.stores.database import Connection, Database, Row
from continuo.stores.events import enter_events
from continuo.stores.private import PrivateText

if TYPE_CHECKING:
    # What counts nothing does not load it.
    from continuo.operations.metrics import Meter

_FIELDS = tuple(RunRow.model_fields)
_MONEY = {"cost_usd": "cost_nanousd", "saved_usd": "saved_nanousd"}
_COLUMNS = ("namespace", *(_MONEY.get(name, name) for name in _FIELDS))
_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)
_SET = ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS if name != "run_id")
_KEEP = (
    f"INSERT INTO runs ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (run_id) DO UPDATE SET {_SET}"
    # Who has seen the run before its end may come after who has seen the end.
    " WHERE runs.ended IS NULL OR excluded.ended IS NOT NULL"
)
_CLAIM = (
    "INSERT INTO run_positions (namespace, position, holder, expires) VALUES (?, '', ?, ?)"
    " ON CONFLICT (namespace) DO UPDATE SET holder = excluded.holder, expires = excluded.expires"
    " WHERE run_positions.holder = excluded.holder OR run_positions.expires < ?"
)
_ADVANCE = (
    "INSERT INTO run_positions (namespace, position, holder, expires) VALUES (?, ?, '', 0)"
    " ON CONFLICT (namespace) DO UPDATE SET position = excluded.position"
    " WHERE run_positions.position < excluded.position"
)


class Runs:
    """The runs of one namespace; `meter` counts their ends. What is not entered into the audit is not waited for until
    it is on the disk: it can be had again."""

    def __init__(self, database: Database, namespace: str, meter: "Meter | None" = None) -> None:
        self._database = database
        self._namespace = namespace
        self._meter = meter

    async def keep(self, rows: Sequence[RunRow], entries: Sequence[Entry] = ()) -> None:
        """Write or replace the rows of these runs; that of an end stays when one of before comes late. Their `entries`
        into the audit and the events of their ends are written with them, and the entries are on the disk then."""
        values = [(self._namespace, *_values(row)) for row in rows]
        events = [event for row in rows if (event := of_run(row)) is not None]

        def write(connection: Connection) -> tuple[set[str], list[Entry]]:
            new = enter(connection, entries)
            marks = ", ".join("?" * len(rows))
            sql = f"SELECT run_id FROM runs WHERE ended IS NOT NULL AND run_id IN ({marks})"
            known = connection.execute(sql, [row.run_id for row in rows]).fetchall() if rows else []
            for row in values:
                connection.execute(_KEEP, row)
            enter_events(connection, events)
            return {row["run_id"] for row in known}, new

        known, new = await self._database.write(write, durable=bool(entries))
        if self._meter is not None:
            for row in rows:
                if row.ended is not None and row.run_id not in known:
                    self._meter.ended(row)
            for entry in new:
                self._meter.entered(entry)

    async def running(self) -> list[RunRow]:
        """The runs that have not ended as far as is known here."""
        sql = f"SELECT {_NAMES} FROM runs WHERE namespace = ? AND status = 'running'"
        return [_row(row) for row in await self._database.read(sql, (self._namespace,))]

    async def ended_since(self, time: datetime) -> set[str]:
        """The run ids of those that ended at this time or after, and whose end is in the audit too."""
        sql = (
            "SELECT run_id FROM runs WHERE namespace = ? AND ended >= ?"
            " AND EXISTS (SELECT 1 FROM audit WHERE run = run_id AND event IN ('ended', 'answered'))"
        )
        return {row["run_id"] for row in await self._database.read(sql, (self._namespace, _text(time)))}

    async def position(self) -> datetime | None:
        """The end of the last run that `advance` was called with."""
        sql = "SELECT position FROM run_positions WHERE namespace = ? AND position <> ''"
        rows = await self._database.read(sql, (self._namespace,))
        return datetime.fromisoformat(rows[0]["position"]) if rows else None

    async def advance(self, position: datetime) -> None:
        """All runs that had ended by then are in the table; it never goes back."""
        row = (self._namespace, _text(position))
        await self._database.write(lambda connection: connection.execute(_ADVANCE, row).rowcount, durable=False)

    async def claim(self, holder: str, now: float, seconds: float) -> bool:
        """Whether the runs are to be followed by `holder` alone for the next `seconds`, from `now` (a timestamp) on."""
        row = (self._namespace, holder, now + seconds, now)
        return bool(
            await self._database.write(lambda connection: connection.execute(_CLAIM, row).rowcount, durable=False)
        )

    async def job(self, tenant: str, id: str) -> RunRow | None:
        """The newest run of the tenant's job, which a dead letter may have run again."""
        sql = f"SELECT {_NAMES} FROM runs WHERE job = ? AND tenant = ? AND namespace = ? ORDER BY started DESC LIMIT 1"
        return next(map(_row, await self._database.read(sql, (id, tenant, self._namespace))), None)

    async def jobs(self, tenant: str, query: JobQuery, after: RunRow | None) -> list[RunRow]:
        """The newest runs of the tenant's jobs behind that of `after`, at most one more than the query's `limit`."""
        where = (
            "job IS NOT NULL AND tenant = ? AND namespace = ? AND NOT EXISTS"
            " (SELECT 1 FROM runs later WHERE later.job = runs.job AND later.started > runs.started)"
        )
        values: list[object] = [tenant, self._namespace]
        if after is not None:
            where += " AND (started, run_id) < (?, ?)"
            values += [_text(after.started), after.run_id]
        # A query for each status, since each is in order in the index, and all of them together are not.
        only = [f" AND status = '{status}'" for status in query.of_runs] or [""]
        ordered = "ORDER BY started DESC, run_id DESC LIMIT ?"
        each = [f"SELECT * FROM (SELECT {_NAMES} FROM runs WHERE {where}{status} {ordered}) found" for status in only]
        values.append(query.limit + 1)
        rows = await self._database.read(
            f"{' UNION ALL '.join(each)} {ordered}", (*values * len(only), query.limit + 1)
        )
        return [_row(row) for row in rows]


async def listed(database: Database, query: RunQuery, after: Mark | None = None) -> list[RunRow]:
    """The runs of all namespaces that the query wants, the newest first: those behind `after`."""
    where, values = _wanted(query)
    if after is not None:
        where, values = f"{where} AND (started, run_id) < (?, ?)", [*values, _text(after.started), after.run_id]
    sql = f"SELECT {_NAMES} FROM runs WHERE {where} ORDER BY started DESC, run_id DESC LIMIT ?"
    return [_row(row) for row in await database.read(sql, (*values, query.limit))]


async def totals(database: Database, query: RunQuery) -> RunTotals:
    """Of all runs of all namespaces that the query wants, whatever its limit."""
    where, values = _wanted(query)
    sql = (
        "SELECT status, COUNT(*) AS runs, COUNT(cost_nanousd) AS priced, SUM(cost_nanousd) AS cost,"
        f" SUM(saved_nanousd) AS saved FROM runs WHERE {where} GROUP BY status ORDER BY status"
    )
    rows = await database.read(sql, values)
    return RunTotals(
        statuses={row["status"]: row["runs"] for row in rows},
        # PostgreSQL's sums are Decimals.
        cost_usd=sum(int(row["cost"] or 0) for row in rows) / NANO,
        saved_usd=sum(int(row["saved"] or 0) for row in rows) / NANO,
        unpriced=sum(row["runs"] - row["priced"] for row in rows if row["status"] != "running"),
    )


def _wanted(query: RunQuery) -> tuple[str, list[object]]:
    """The condition of what the query wants, and its values."""
    given = {
        "tenant = ?": query.tenant,
        "pattern = ?": query.pattern,
        "status = ?": query.status,
        "started >= ?": _text(query.since) if query.since else None,
    }
    wanted = {condition: value for condition, value in given.items() if value is not None}
    return " AND ".join(wanted) or "1 = 1", [*wanted.values()]


async def rows_of(database: Database, *ids: str) -> list[RunRow]:
    """The runs whose workflow id or run id is one of these, the newest first."""
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT {_NAMES} FROM runs WHERE workflow_id IN ({marks}) OR run_id IN ({marks}) ORDER BY started DESC"
    return [_row(row) for row in await database.read(sql, (*ids, *ids))]


def _values(row: RunRow) -> list[object]:
    values = {name: _value(getattr(row, name), nano=name in _MONEY) for name in _FIELDS}
    return [*{**values, "error": row.error and PrivateText(row.error)}.values()]


def _value(value: Any, *, nano: bool) -> object:
    if isinstance(value, datetime):
        return _text(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return round(value * NANO) if nano and value is not None else value


def _row(row: Row) -> RunRow:
    money = {name: None if row[column] is None else row[column] / NANO for name, column in _MONEY.items()}
    plain = {name: row[name] for name in _FIELDS if name not in (*_MONEY, "metadata")}
    return RunRow(**plain, **money, metadata=json.loads(row["metadata"]))


def _text(time: datetime) -> str:
    """The time as all are written here, so that texts are in the order of times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
