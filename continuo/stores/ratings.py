"""Ratings of runs: of each rater one for a run and dimension, the last."""

from collections.abc import Sequence
from datetime import UTC

from continuo.operations.ratings import Rating
from continuo.stores.database import Connection, Database
from continuo.stores.private import PrivateText
from continuo.stores.pruning import Aged

RATINGS = Aged("ratings", "run_id", "time")

_COLUMNS = tuple(Rating.model_fields)
_NAMES = ", ".join(_COLUMNS)
_KEEP = (
    f"INSERT INTO ratings ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (run_id, rater, dimension) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("run_id", "rater", "dimension"))
)


async def rate(database: Database, ratings: Sequence[Rating]) -> None:
    """Keep them, each in place of what its rater said before of the same run and dimension."""
    rows = [_values(rating) for rating in ratings]

    def write(connection: Connection) -> None:
        for row in rows:
            connection.execute(_KEEP, row)

    await database.write(write)


async def ratings_of(database: Database, run_ids: Sequence[str]) -> list[Rating]:
    """All that was said of these runs, the oldest first."""
    marks = ", ".join("?" * len(run_ids))
    sql = f"SELECT {_NAMES} FROM ratings WHERE run_id IN ({marks}) ORDER BY time, run_id, rater, dimension"
    return [Rating.model_validate(row) for row in await database.read(sql, run_ids)] if run_ids else []


def _values(rating: Rating) -> list[object]:
    private = {"comment": rating.comment and PrivateText(rating.comment)}
    # All times are written alike, so that texts are in the order of times.
    time = {"time": rating.time.astimezone(UTC).isoformat(timespec="microseconds")}
    return [*{**rating.model_dump(), **private, **time}.values()]
