"""A golden set: examples, and how answers to them are scored."""

from typing import Annotated

from pydantic import Field, field_validator

from continuo.data import Data, Int, Number
from continuo.evaluation.gate import Limits
from continuo.evaluation.scores.base import Metric
from continuo.evaluation.scores.scorer import Scorer
from continuo.jobs import Usd


class GoldenSet(Data):
    """A file in `evals/`.

    `items` is a file of JSONL with the examples, its path relative to this file. `pattern` is what is evaluated unless
    others are named. Each of the `scores` is from 0 to 1; an answer passes where all of them are at least `passing`.
    No more is begun once `budget` (USD) is spent, and `window` items are under way at once. `gate` is what counts as
    a regression.
    """

    description: str
    items: Annotated[str, Field(min_length=1)]
    pattern: str | None = None
    scores: Annotated[tuple[Scorer, ...], Field(min_length=1)]
    passing: Annotated[Number, Field(gt=0, le=1)] = 0.5
    budget: Annotated[Usd, Field(gt=0)] | None = None
    window: Annotated[Int, Field(ge=1, le=500)] = 50
    gate: Limits = Limits()

    @field_validator("scores")
    @classmethod
    def _have_different_names(cls, scores: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [score.name for score in scores]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two scores are called {name!r}; give one a `label` of its own")
        return scores
