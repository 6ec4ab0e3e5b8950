"""Schedules over HTTP: what is run again and again, and when."""

from typing import Any

from pydantic import Field

from continuo.operations.schedules import ScheduleRow, ShownSchedule, Times
from continuo.wire import jobs
from continuo.wire.parsed import Shape


class Body(Shape):
    """Of `PUT /v1/schedules/{name}`: `job` is what `POST /v1/jobs` takes, without `metadata` and `webhook`, which are
    a single run's. `zone` of the times is the tenant's, if none is given."""

    job: jobs.Body
    times: Times


class PauseBody(Shape):
    """Of `POST /v1/schedules/{name}/pause`: `note` is why, for the list."""

    note: str = Field(default="", max_length=1_000)


def in_list(row: ScheduleRow) -> dict[str, Any]:
    return {"object": "schedule", "id": row.name, **row.model_dump(mode="json", exclude={"items"})}


def response(shown: ShownSchedule) -> dict[str, Any]:
    """With how many times came, and the last of them."""
    counts = shown.model_dump(mode="json", include={"fired", "missed", "skipped"})
    return {**in_list(shown.schedule), **counts, "last_times": [one.model_dump(mode="json") for one in shown.times]}
