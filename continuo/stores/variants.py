"""The ended runs of a split's variants and shadows, with what was said of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from continuo.evaluation.shadows import Beside, Pair
from continuo.evaluation.variants import LiveRun
from continuo.money import NANO
from continuo.operations.runs import shadow_name
from continuo.stores.database import Database, Row

_RUNS = (
    "SELECT workflow_id, variant, shadow_of, status, cost_nanousd, latency_ms, AVG(value) AS quality"
    " FROM runs LEFT JOIN ratings ON ratings.run_id = runs.run_id"
    " WHERE pattern = ? AND started >= ? AND status IN ('done', 'failed', 'timed_out', 'terminated')"
    " AND (variant IS NOT NULL OR shadow_of IS NOT NULL) GROUP BY runs.run_id"
)

# Of a rating by one who has not rated the other run in the same dimension, nothing counts.
_PAIRS = (
    "SELECT now.run_id AS id, now.status AS now_status, now.cost_nanousd AS now_cost, now.latency_ms AS now_latency,"
    " AVG(said.value) AS now_quality, copy.status AS copy_status, copy.cost_nanousd AS copy_cost,"
    " copy.latency_ms AS copy_latency, AVG(beside.value) AS copy_quality"
    " FROM runs AS copy JOIN runs AS now ON now.workflow_id = copy.shadow_of"
    " LEFT JOIN (ratings AS said JOIN ratings AS beside"
    " ON beside.rater = said.rater AND beside.dimension = said.dimension)"
    " ON said.run_id = now.run_id AND beside.run_id = copy.run_id"
    " WHERE copy.pattern = ? AND copy.workflow_id = copy.shadow_of || ? AND copy.started >= ?"
    " AND now.status IN ('done', 'failed', 'timed_out', 'terminated')"
    " AND copy.status IN ('done', 'failed', 'timed_out', 'terminated') GROUP BY now.run_id, copy.run_id"
)


async def shadow_pairs(database: Database, pattern: str, shadow: str, since: datetime | None) -> list[Pair]:
    """The ended copies that began at or after `since`, each with the run that it is beside."""
    rows = await database.read(_PAIRS, (pattern, f".shadow.{shadow}", _text(since)))
    return [Pair(row["id"], _beside(row, "now"), _beside(row, "copy")) for row in rows]


async def live_runs(
    database: Database, pattern: str, since: datetime | None
) -> Mapping[tuple[str, bool], Sequence[LiveRun]]:
    """Those that began at or after `since`, by the variant's name and whether it is a shadow. The quality of a run is
    the mean of all that was said of it."""
    runs = defaultdict[tuple[str, bool], list[LiveRun]](list)
    for row in await database.read(_RUNS, (pattern, _text(since))):
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


def _beside(row: Row, of: str) -> Beside:
    cost, done = row[f"{of}_cost"], row[f"{of}_status"] == "done"
    usd = None if cost is None else cost / NANO
    return Beside(not done, usd, row[f"{of}_latency"] if done else None, row[f"{of}_quality"])


def _text(since: datetime | None) -> str:
    return since.isoformat(timespec="microseconds") if since else ""
