"""Which runs a judge is to rate, and by what."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from continuo.data import Number
from continuo.jobs import Name
from continuo.operations.ratings import Dimension, Rating
from continuo.operations.runs import RunQuery, RunRow

RUBRICS: Mapping[Dimension, str] = {
    "overall": "The answer is right, says what was asked for, and is of use to whoever asked.",
    "relevance": "The answer is about what was asked, wholly and with nothing beside it.",
    "accuracy": "All that the answer says is true.",
    "helpfulness": "Whoever asked can do with the answer what they wanted to.",
}
"""By what each dimension is judged if nothing else is said."""


class JudgeQuery(RunQuery):
    """Which runs the `judge`, the name of a pattern or `model:ID`, is to rate in a `dimension`: a `sample` of them, as
    their share. A run is drawn by its own id, and with all its shadows, so that more runs never change the choice."""

    judge: Name
    dimension: Dimension = "overall"
    sample: Annotated[Number, Field(gt=0, le=1)] = 0.1

    @property
    def rater(self) -> str:
        """By whom the ratings are."""
        return f"judge {self.judge}"

    def left(self, rows: Iterable[RunRow], ratings: Iterable[Rating]) -> list[RunRow]:
        """Those of the rows that the judge has not rated, the oldest first."""
        rated = {one.run_id for one in ratings if (one.rater, one.dimension) == (self.rater, self.dimension)}
        drawn = [row for row in rows if row.run_id not in rated and _place(row) < self.sample]
        return sorted(drawn, key=lambda row: (row.started, row.run_id))

    def rating(self, row: RunRow, value: float, why: str) -> Rating:
        """What the judge gives a run, now."""
        return Rating(
            run_id=row.run_id,
            tenant=row.tenant,
            rater=self.rater,
            dimension=self.dimension,
            value=value,
            scale="1-5",
            comment=why or None,
            time=datetime.now(UTC),
            source="judge",
        )


def _place(row: RunRow) -> float:
    """From 0 to 1, and the same for a run and its shadows."""
    drawn = sha256((row.shadow_of or row.workflow_id).encode()).digest()
    return int.from_bytes(drawn[:8]) / 2**64
