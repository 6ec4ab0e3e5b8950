"""What is kept of a job that failed for good, and how it may end after all."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import JsonValue

from continuo.cut import cut
from continuo.data import WHEN_SET, Data
from continuo.jobs import Failure, Job

TYPE = "DeadLetter"
"""The workflow type of a letter."""


class Letter(Data):
    """A job that failed for good at `time` (UTC): its input, why, and the run whose history tells how.

    `failure` is the last one; `tries` counts the retries that have ended, and `note` says what came of the last.
    `plain` says that the run was a model call without a workflow.
    """

    job: Job
    failure: Failure
    workflow_id: str
    run_id: str
    time: datetime
    tries: int = 0
    note: str = ""
    plain: Annotated[bool, WHEN_SET] = False

    @property
    def id(self) -> str:
        """The id of the letter's own workflow."""
        return letter_id(self.workflow_id, self.run_id)

    def brief(self) -> dict[str, JsonValue]:
        """What a list shows of it."""
        return {
            "workflow_id": self.workflow_id,
            "run_id": self.run_id,
            "time": self.time.isoformat(timespec="seconds"),
            "tenant": self.job.context.tenant,
            "pattern": self.job.context.pattern,
            "prompt": cut(self.job.request.prompt, 80),
            "error": cut(self.failure.cause, 200),
            "tries": self.tries,
            "note": cut(self.note, 200),
            **({"plain": True} if self.plain else {}),
        }


class Closed(Data):
    """How a letter ended: a retry has answered, the job was done before one began, or a person gave it up.

    `run_id` is the run that has the answer.
    """

    by: Literal["answered", "done before", "discarded"]
    run_id: str | None = None
    note: str = ""


def letter_id(workflow_id: str, run_id: str) -> str:
    """The id of a run's letter. Cut, since an id over the server's limit would block the run."""
    return f"dead-letter/{workflow_id[:200]}/{run_id}"
