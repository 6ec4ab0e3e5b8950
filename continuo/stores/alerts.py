"""How the alerts stand, and what in the stores they are about."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from continuo.config.tenants import Tenants
from continuo.decisions.alerts import Alert, Change, Sample
from continuo.money import NANO
from continuo.operations.events import Event
from continuo.stores.database import Connection, Database, Row
from continuo.stores.events import enter_events

_KEEP = (
    "INSERT INTO alerts (rule, label, firing, incident, since, value) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (rule, label) DO UPDATE SET firing = excluded.firing, incident = excluded.incident,"
    " since = excluded.since, value = excluded.value WHERE alerts.incident <= excluded.incident"
)
_RATES = (
    "SELECT pattern, COUNT(*) AS runs, SUM(CASE WHEN status = 'done' THEN 1 ELSE 0 END) AS done,"
    " SUM(CASE WHEN served_by = 'cache' THEN 1 ELSE 0 END) AS hits FROM runs WHERE namespace = ? AND ended >= ?"
    " AND status IN ('done', 'failed', 'timed_out') GROUP BY pattern"
)


async def alerts(database: Database) -> list[Alert]:
    """Those that have ever fired."""
    return [_alert(row) for row in await database.read("SELECT * FROM alerts ORDER BY rule, label")]


async def evaluate(
    database: Database,
    evaluation: Callable[[Mapping[tuple[str, str], Alert]], Iterable[tuple[Alert, Change | None]]],
    event: Callable[[Change], Event],
) -> list[Alert | Change]:
    """Keep what the evaluation makes of the alerts as they stand, with an event for each that has changed, in one
    transaction; these changes, and all alerts that fire."""

    def write(connection: Connection) -> list[Alert | Change]:
        rows = connection.execute("SELECT * FROM alerts").fetchall()
        before = {(row["rule"], row["label"]): _alert(row) for row in rows}
        result: list[Alert | Change] = []
        for alert, change in evaluation(before):
            since = alert.since.astimezone(UTC).isoformat()
            row = (alert.rule, alert.label, int(alert.firing), alert.incident, since, alert.value)
            connection.execute(_KEEP, row)
            if change is not None:
                enter_events(connection, [event(change)])
                result.append(change)
            if alert.firing:
                result.append(alert)
        return result

    return await database.write(write)


async def cost_of(database: Database, day: str) -> Sample:
    """USD that all tenants have spent on the day that each of them calls so."""
    sql = "SELECT COALESCE(SUM(spent_nanousd), 0) AS nanousd FROM accounts WHERE day = ?"
    return Sample(int((await database.read(sql, (day,)))[0]["nanousd"]) / NANO)


async def rates(database: Database, namespace: str, since: datetime) -> dict[str, tuple[int, int, int]]:
    """By pattern, how many runs have ended since then, how many of them by an answer, and how many by the cache's."""
    text = since.astimezone(UTC).isoformat(timespec="microseconds")
    rows = await database.read(_RATES, (namespace, text))
    return {row["pattern"]: (int(row["runs"]), int(row["done"]), int(row["hits"])) for row in rows}


async def exceeded(database: Database, tenants: Tenants, now: datetime) -> dict[str, Sample]:
    """By tenant, how many budgets of now did not have what a call may have cost."""
    sql = "SELECT tenant, data FROM events WHERE type = 'budget.exceeded' AND time >= ?"
    rows = await database.read(sql, ((now - timedelta(days=32)).astimezone(UTC).isoformat(),))
    counts: dict[str, int] = {}
    for row in rows:
        day = tenants.of(row["tenant"]).day(now).isoformat()
        if f'"period": "{day}"' in row["data"] or f'"period": "{day[:7]}"' in row["data"]:
            counts[row["tenant"]] = counts.get(row["tenant"], 0) + 1
    return {tenant: Sample(count) for tenant, count in counts.items()}


def _alert(row: Row) -> Alert:
    return Alert(**{**row, "firing": bool(row["firing"]), "since": datetime.fromisoformat(row["since"])})
