"""Schedules over HTTP: what is run again and again, and when."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from continuo.data import Int
from continuo.decisions.off_peak import off_peak
from continuo.jobs import Usd
from continuo.operations.batches import MAX_WINDOW
from continuo.operations.schedules import ScheduleRow, ShownSchedule, Times
from continuo.wire import jobs
from continuo.wire.batches.endpoints import Endpoint
from continuo.wire.parsed import Shape


def _hours(text: str) -> str:
    off_peak(text, "UTC")
    return text


class Batch(Shape):
    """What `POST /v1/batches` takes, without `metadata` and `webhook`, which are a single batch's. `window` lines are
    under way at once; no more are begun once `budget_usd` is spent, nor outside the hours `off_peak`, such as
    `22:00-06:00`, in the zone of the times."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Literal["24h"] = "24h"
    window: Annotated[Int, Field(ge=1, le=MAX_WINDOW)] = 50
    budget_usd: Usd | None = None
    off_peak: Annotated[str, AfterValidator(_hours)] | None = None


class Body(Shape):
    """Of `PUT /v1/schedules/{name}`: either `job`, which is what `POST /v1/jobs` takes, without `metadata` and
    `webhook`, which are a single run's, or `batch`. `zone` of the times is the tenant's, if none is given."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["job"]}, {"required": ["batch"]}]})

    job: jobs.Body | SkipJsonSchema[None] = None
    batch: Batch | SkipJsonSchema[None] = None
    times: Times

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.job is None) == (self.batch is None):
            raise ValueError("job, or batch: write what is run, one of the two")
        return self


class PauseBody(Shape):
    """Of `POST /v1/schedules/{name}/pause`: `note` is why, for the list."""

    note: str = Field(default="", max_length=1_000)


def in_list(row: ScheduleRow) -> dict[str, Any]:
    """`batch` says how many items it has, and is null where it is a job that is run."""
    shown = row.model_dump(mode="json", exclude={"items", "count"})
    batch = None if row.items is None else {"items": row.count}
    return {"object": "schedule", "id": row.name, "batch": batch, **shown}


def response(shown: ShownSchedule) -> dict[str, Any]:
    """With how many times came, and the last of them."""
    counts = shown.model_dump(mode="json", include={"fired", "missed", "skipped"})
    return {**in_list(shown.schedule), **counts, "last_times": [one.model_dump(mode="json") for one in shown.times]}
