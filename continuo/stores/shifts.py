"""The journal of the weights of adaptive splits, and what is seen of their variants."""

from collections.abc import Mapping
from datetime import UTC, datetime

from continuo.evaluation.adaptive import Seen, Shift
from continuo.money import NANO
from continuo.stores.database import Connection, Database

_ENTER = "INSERT INTO shifts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_RUNS = "pattern = ? AND started >= ? AND shadow_of IS NULL AND variant IN ({marks})"
_BEGINNING = (
    "SELECT started FROM runs WHERE {runs} AND status = 'done'"
    " AND EXISTS (SELECT 1 FROM ratings WHERE ratings.run_id = runs.run_id)"
    " ORDER BY started DESC LIMIT 1 OFFSET ?"
)
_SEEN = (
    "SELECT variant, SUM(done) AS answered, SUM(1 - done) AS failed, COUNT(quality) AS rated,"
    " SUM(quality) AS quality, SUM(cost) AS cost, COUNT(cost) AS priced FROM ("
    "SELECT variant, CASE WHEN status = 'done' THEN 1 ELSE 0 END AS done,"
    " CASE WHEN status = 'done' THEN cost_nanousd END AS cost,"
    " CASE WHEN status = 'done' THEN (SELECT AVG(value) FROM ratings WHERE ratings.run_id = runs.run_id) END AS quality"
    " FROM runs WHERE {runs} AND status IN ('done', 'failed', 'timed_out', 'terminated')"
    ") of_runs GROUP BY variant"
)
_OLD = (
    "FROM shifts WHERE time < ?"
    " AND number < (SELECT MAX(number) FROM shifts later WHERE later.pattern = shifts.pattern)"
)


async def shifts(database: Database, pattern: str, limit: int = 1) -> list[Shift]:
    """The newest of a pattern, the last one first."""
    sql = "SELECT shift FROM shifts WHERE pattern = ? ORDER BY number DESC LIMIT ?"
    return [Shift.model_validate_json(row["shift"]) for row in await database.read(sql, (pattern, limit))]


async def enter(database: Database, pattern: str, shift: Shift) -> bool:
    """Whether it is in the journal now: its number may have been taken meanwhile."""
    row = (pattern, shift.number, _text(shift.time), shift.model_dump_json())
    return bool(await database.write(lambda connection: connection.execute(_ENTER, row).rowcount))


async def seen(
    database: Database, pattern: str, variants: Mapping[str, object], since: datetime | None, window: int
) -> dict[str, Seen]:
    """What is known of the runs of these variants that began at or after `since`, back to the beginning of the last
    `window` rated ones. The quality of a run is the mean of all that was said of it."""
    runs = _RUNS.format(marks=", ".join("?" * len(variants)))
    start = _text(since) if since else ""
    first = await database.read(_BEGINNING.format(runs=runs), (pattern, start, *variants, window - 1))
    start = first[0]["started"] if first else start
    rows = await database.read(_SEEN.format(runs=runs), (pattern, start, *variants))
    return {
        row["variant"]: Seen(
            answered=int(row["answered"]),
            failed=int(row["failed"]),
            rated=int(row["rated"]),
            quality=float(row["quality"] or 0),
            cost_usd=int(row["cost"]) / int(row["priced"]) / NANO if row["priced"] else None,
        )
        for row in rows
    }


async def prune_shifts(database: Database, before: datetime, *, dry_run: bool) -> int:
    """Drop the entries from before that time but the last one of each pattern; how many they are."""
    values = (_text(before),)

    def drop(connection: Connection) -> int:
        return connection.execute(f"DELETE {_OLD}", values).rowcount

    if dry_run:
        return int((await database.read(f"SELECT COUNT(*) AS count {_OLD}", values))[0]["count"])
    return await database.write(drop)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
