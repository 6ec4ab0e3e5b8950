"""Reviews over HTTP: what waits for a person, and what is decided; `by` is who decides, as the key's holder says."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from continuo.data import Data, Number, Seconds, seconds
from continuo.decisions.review import Brief, Case
from continuo.patterns.review import Decided, Reviewer
from continuo.wire.parsed import Shape

Period = Annotated[Number, Field(gt=0, le=86400), BeforeValidator(seconds, json_schema_input_type=float | str)]


class DecisionBody(Shape):
    """Of `POST /v1/reviews/{id}/approve`, `edit`, `reject` and `respond`; `shown` is the digest of what was shown."""

    by: Reviewer
    shown: str
    text: str | None = Field(default=None, min_length=1)
    reason: str | None = None
    note: str = Field(default="", max_length=10_000)


class ClaimBody(Shape):
    """Of `POST /v1/reviews/{id}/claim`: for so many seconds, or a text such as `15m`."""

    by: Reviewer
    seconds: Period = 900.0


class ReleaseBody(Shape):
    """Of `POST /v1/reviews/{id}/release`."""

    by: Reviewer


class LinkBody(Shape):
    """Of `POST /v1/reviews/{id}/link`: who decides with it, by which of the review's decisions (all), and for how long
    it is good: three days, at most 30."""

    by: Reviewer
    decisions: Annotated[list[Decided], Field(min_length=1, max_length=4)] | None = None
    seconds: Seconds = 3 * 86400.0


class ReviewQuery(Data):
    """Which reviews: of runs of the `pattern`, behind the one with the id `after`, so many."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    after: str | None = None
    pattern: str | None = None


def in_list(brief: Brief) -> dict[str, Any]:
    return {"object": "review", **brief.model_dump(mode="json")}


def response(case: Case) -> dict[str, Any]:
    """The whole of it, with what is shown and its digest."""
    return {"object": "review", **case.model_dump(mode="json"), "shown": case.shown}
