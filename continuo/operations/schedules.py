"""When a request is made again and again, and what is known of that."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from continuo.config.tenants import Zone
from continuo.data import Data, Seconds
from continuo.jobs import Priority, TenantName

TYPE = "Scheduled"
"""The workflow type of one time of a schedule."""

BATCH_TYPE = "ScheduledBatch"
"""That of one time of a schedule of a batch."""

Overlap = Literal["skip", "queue", "cancel"]
"""What becomes of a time that comes while the run of the one before is under way: it is left out, waits for that, or
takes its place."""

ScheduleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""One part of ids, as a tenant's name is."""


def _cron(text: str) -> str:
    if len(text.split()) != 5 or not text.isascii() or "@" in text or "=" in text:
        message = "write minute, hour, day, month and weekday, such as `0 6 * * 1-5`; the zone is apart"
        raise ValueError(f"{text[:80]!r} is no time of cron; {message}")
    return " ".join(text.split())


class Times(Data):
    """By `cron` (five fields, on the clocks of `zone`) and `every` so many seconds, from `starting` and until `ending`,
    each later by up to `jitter` seconds at random. At least one of the first two is set.

    A time that was missed, since no server ran, is made up for within `catch_up` seconds.
    """

    cron: Annotated[tuple[Annotated[str, AfterValidator(_cron)], ...], Field(max_length=20)] = ()
    every: Seconds | None = None
    zone: Zone = "UTC"
    starting: AwareDatetime | None = None
    ending: AwareDatetime | None = None
    jitter: Seconds | None = None
    catch_up: Seconds = 3600.0
    overlap: Overlap = "skip"

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        if not self.cron and self.every is None:
            raise ValueError("say when: by cron, such as '0 6 * * 1-5', or every, such as 1h")
        if self.every is not None and self.every < 1:
            raise ValueError("every: at least 1s")
        if self.catch_up < 10:
            raise ValueError("catch_up: at least 10s")
        if self.starting and self.ending and self.ending <= self.starting:
            raise ValueError("ending is not after starting")
        return self

    def __str__(self) -> str:
        """In one line, for a list."""
        parts = [f"{one} ({self.zone})" for one in self.cron]
        if self.every is not None:
            parts.append(f"every {timedelta(seconds=self.every)}")
        return ", ".join(parts)


class ScheduleRow(Data):
    """What a list shows of a schedule: what it runs, when next (UTC), and the last one's workflow id, time and status.

    `note` is why it is paused, `zone` that of its cron, and `items` the planned batch that it runs, if it does, of
    `count` items.
    """

    name: str
    tenant: TenantName
    pattern: str
    priority: Priority
    times: str
    zone: str
    paused: bool
    note: str
    items: str | None = None
    count: int | None = None
    next: tuple[datetime, ...]
    last: datetime | None = None
    last_run: str | None = None
    last_status: str | None = None


class FiredRow(Data):
    """One time of a schedule that has come: when it was to be, when it was, and how that stands.

    `run` is the id of its run, or batch, and empty where the door refused it, and `why` tells that of one that failed.
    """

    scheduled: datetime
    started: datetime
    run: str
    status: str
    why: str | None = None


class ShownSchedule(Data):
    """A schedule with its last times, the newest first. `missed` came when no server ran, and `skipped` while the one
    before was under way."""

    schedule: ScheduleRow
    fired: int
    missed: int
    skipped: int
    times: tuple[FiredRow, ...]


class ScheduleRows(Data):
    schedules: tuple[ScheduleRow, ...]


PREFIX = "schedule:"
"""Of the ids of Temporal's schedules that are the door's; no other one of ours has a colon there."""


def schedule_id(tenant: str, name: str) -> str:
    """That of Temporal's schedule."""
    return f"{PREFIX}{tenant}/{name}"


def action_id(tenant: str, name: str) -> str:
    """What the workflow ids of its times begin with; Temporal adds a dash and the time."""
    return f"scheduled:{tenant}/{name}"
