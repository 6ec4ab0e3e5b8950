"""The ended runs of a split's variants and shadows, with what was said of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from continuo.evaluation.variants import LiveRun
from continuo.money import NANO
from continuo.operations.runs import shadow_name
from continuo.stores.database import Database

_RUNS = (
    "SELECT workflow_id, variant, shadow_of, status, cost_nanousd, latency_ms, AVG(value) AS quality"
    " FROM runs LEFT JOIN ratings ON ratings.run_id = runs.run_id"
    " WHERE pattern = ? AND started >= ? AND status IN ('done', 'failed', 'timed_out', 'terminated')"
    " AND (variant IS NOT NULL OR shadow_of IS NOT NULL) GROUP BY runs.run_id"
)


async def live_runs(
    database: Database, pattern: str, since: datetime | None
) -> Mapping[tuple[str, bool], Sequence[LiveRun]]:
    """Those that began at or after `since`, by the variant's name and whether it is a shadow. The quality of a run is
    the mean of all that was said of it."""
    runs = defaultdict[tuple[str, bool], list[LiveRun]](list)
    for row in await database.read(_RUNS, (pattern, since.isoformat(timespec="microseconds") if since else "")):
        shadow = row["shadow_of"] is not None
        name = shadow_name(row["workflow_id"], row["shadow_of"]) if shadow else row["variant"]
        done, cost = row["status"] == "done", row["cost_nanousd"]
        runs[name, shadow].append(
            LiveRun(
                failed=not done,
                cost_usd=None if cost is None else cost / NANO,
                latency_ms=row["latency_ms"] if done else None,
                quality=row["quality"],
            )
        )
    return runs
