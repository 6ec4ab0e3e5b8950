"""What people, callers and judges say of the answer of a run."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Data
from continuo.jobs import Name

Dimension = Literal["overall", "relevance", "accuracy", "helpfulness"]

Scale = Literal["thumb", "0-1", "1-5"]

Source = Literal["api", "person", "judge"]
"""Who has sent it: a caller of the gateway, a person who rates blindly, or a model."""

MAX_COMMENT = 10_000
"""Characters."""


class Rating(Data):
    """What a rater says of one run in one dimension.

    `value` is from 0, the worst, to 1, whatever the `scale` on which it was given. `comment` has placeholders in place
    of personal data.
    """

    run_id: str
    tenant: str
    rater: Name
    dimension: Dimension = "overall"
    value: Annotated[float, Field(ge=0, le=1)]
    scale: Scale
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] | None = None
    time: datetime
    source: Source


def of_five(score: float) -> float:
    """The value of a score from 1 to 5."""
    return (score - 1) / 4


def out_of_five(value: float) -> int:
    """The score that a value was made of."""
    return round(1 + 4 * value)
