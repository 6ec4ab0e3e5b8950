"""A job as its caller knows it: a run that is asked for by its id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Data
from continuo.jobs import Failure, Outcome
from continuo.operations.runs import RunRow, RunStatus

JobStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
"""`queued`: no pool has taken it up."""

ENDED: Mapping[JobStatus, tuple[RunStatus, ...]] = {
    "running": ("running", "continued"),
    "completed": ("done",),
    "failed": ("failed", "terminated", "timed_out", "forgotten"),
    "cancelled": ("cancelled",),
}


class JobQuery(Data):
    """Which jobs: those with the `status`, behind the one with the id `after`, the newest `limit` of them."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    after: str | None = None
    status: JobStatus | None = None

    @property
    def of_runs(self) -> tuple[RunStatus, ...]:
        """Which statuses its run may have; none stands for all."""
        return () if self.status is None else ENDED.get(self.status, ("running",))


@dataclass(frozen=True)
class JobState:
    """A job as it is now. `end` is what it came to, as long as Temporal knows its run."""

    run: RunRow
    status: JobStatus
    end: Outcome | Failure | None = None


def ended(run: RunRow) -> JobStatus:
    """The status of a job whose run has ended, or was forgotten."""
    return next(status for status, runs in ENDED.items() if run.status in runs)
