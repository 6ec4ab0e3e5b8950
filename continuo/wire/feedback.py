"""Feedback over HTTP: what a caller, or a person who sees the answer, says of it."""

from typing import Annotated, Literal

from pydantic import Field

from continuo.jobs import Name
from continuo.operations.ratings import MAX_COMMENT, Dimension, Scale, of_five
from continuo.wire.errors import WireError
from continuo.wire.parsed import Shape


class Body(Shape):
    """Of `POST /v1/feedback`: a `thumb` or a `score`, from 0 to 1 or, on the other `scale`, from 1 to 5.

    `id` is that of the response, such as `chatcmpl-…`, or that of the run. Without a `rater` it is the API key's.
    """

    id: Annotated[str, Field(min_length=1, max_length=1000)]
    thumb: Literal["up", "down"] | None = None
    score: float | None = None
    scale: Literal["0-1", "1-5"] = "0-1"
    dimension: Dimension = "overall"
    rater: Name | None = None
    comment: Annotated[str, Field(min_length=1, max_length=MAX_COMMENT)] | None = None


def value_of(body: Body) -> tuple[float, Scale]:
    """What it says from 0 to 1, and the scale on which it was said. Raises `WireError` for none, both, or a score off
    its scale."""
    if (body.thumb is None) == (body.score is None):
        raise WireError(400, 'score: give either a score or a thumb, "up" or "down"', "score", "invalid_value")
    if body.score is None:
        return float(body.thumb == "up"), "thumb"
    if body.scale == "1-5" and 1 <= body.score <= 5:
        return of_five(body.score), "1-5"
    if body.scale == "0-1" and 0 <= body.score <= 1:
        return body.score, "0-1"
    other = ', or add "scale": "1-5"' if body.scale == "0-1" and 1 <= body.score <= 5 else ""
    message = f"score: {body.score:g} is not on the scale {body.scale}; give one that is{other}"
    raise WireError(400, message, "score", "invalid_value")
