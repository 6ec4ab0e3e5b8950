"""Which runs a person is to rate, and in what order."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, NamedTuple

from pydantic import Field

from continuo.data import Data
from continuo.jobs import Name
from continuo.operations.agreement import agreements
from continuo.operations.batches import workflow_id
from continuo.operations.ratings import Dimension, Rating, of_five
from continuo.operations.runs import RunQuery, RunRow, shadow_name

DIMENSIONS: tuple[Dimension, ...] = ("relevance", "accuracy", "helpfulness")
"""Those that people are asked for."""

NEWEST = 10_000
"""Of so many runs those to rate are chosen."""

Score = Annotated[int, Field(ge=1, le=5)]


class Scores(Data):
    """What a person gives an answer in each dimension, or in none."""

    relevance: Score | None = None
    accuracy: Score | None = None
    helpfulness: Score | None = None

    def of(self, row: RunRow, rater: str) -> list[Rating]:
        """The ratings of the run, given now."""
        scores = {dimension: getattr(self, dimension) for dimension in DIMENSIONS}
        return [
            Rating(
                run_id=row.run_id,
                tenant=row.tenant,
                rater=rater,
                dimension=dimension,
                value=of_five(score),
                scale="1-5",
                time=datetime.now(UTC),
                source="person",
            )
            for dimension, score in scores.items()
            if score is not None
        ]


class ToRate(NamedTuple):
    row: RunRow
    dimensions: tuple[Dimension, ...]


class RatingQuery(RunQuery):
    """Which runs the `rater` is to rate: those of a `variant` of a split or its shadow of this name, and items of the
    `batch` with this id. Their order is by the `seed`, and the same for all raters, so that they rate the same runs."""

    rater: Name
    variant: str | None = None
    batch: str | None = None
    seed: int = 0

    def wants(self, row: RunRow) -> bool:
        variant = shadow_name(row.workflow_id, row.shadow_of) if row.shadow_of else row.variant
        if self.variant not in (None, variant):
            return False
        return self.batch is None or row.workflow_id.startswith(f"{workflow_id(row.tenant, self.batch)}/")

    def left(self, rows: Iterable[RunRow], ratings: Iterable[Rating]) -> list[ToRate]:
        """Those of the rows that the rater has not rated wholly; first of which two others disagree, that a third one
        may settle it."""
        ratings = list(ratings)
        given = {(rating.run_id, rating.dimension) for rating in ratings if rating.rater == self.rater}
        disputed = {dispute.run_id for dispute in agreements(ratings).disputes if not dispute.settled}

        def place(row: RunRow) -> tuple[bool, str]:
            # Runs that come later leave the order of the others as it is.
            return row.run_id not in disputed, sha256(f"{self.seed}/{row.run_id}".encode()).hexdigest()

        ordered = sorted(filter(self.wants, rows), key=place)
        left = [ToRate(row, tuple(one for one in DIMENSIONS if (row.run_id, one) not in given)) for row in ordered]
        return [one for one in left if one.dimensions]
