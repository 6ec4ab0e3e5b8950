"""What is kept of a job that failed for good, and how it may end after all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from continuo.authoring.files import find_pattern, located
from continuo.authoring.inputs import check_media
from continuo.authoring.prepare import check_services, resolved
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.data import Data
from continuo.errors import InputError
from continuo.jobs import Failure, Job
from continuo.patterns import Http
from continuo.patterns.walk import specs

TYPE = "DeadLetter"
"""The workflow type of a letter."""


class Letter(Data):
    """A job that failed for good at `time` (UTC): its input, why, and the run whose history tells how.

    `failure` is the last one; `tries` counts the retries that have ended, and `note` says what came of the last.
    """

    job: Job
    failure: Failure
    workflow_id: str
    run_id: str
    time: datetime
    tries: int = 0
    note: str = ""

    @property
    def id(self) -> str:
        """The id of the letter's own workflow. Cut, since an id over the server's limit would block the run."""
        return f"dead-letter/{self.workflow_id[:200]}/{self.run_id}"

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
        }


class Closed(Data):
    """How a letter ended: a retry has answered, the job was done before one began, or a person gave it up.

    `run_id` is the run that has the answer.
    """

    by: Literal["answered", "done before", "discarded"]
    run_id: str | None = None
    note: str = ""


def with_pattern(job: Job, name: str, settings: Settings, environ: Mapping[str, str]) -> Job:
    """The same job for the named pattern `name`. Raises `InputError` when that cannot run it."""
    if name.endswith((".yaml", ".yml")):
        raise InputError(f"pattern {name!r} is a file; name a pattern of {settings.patterns}")
    catalog, step = load_catalog(settings.catalog), find_pattern(name, settings.patterns).pattern
    if not job.data and any(isinstance(spec, Http) for spec in specs(step)):
        raise InputError(f"pattern {name!r} acts on an order, and this job has none; name another")
    with located(name, settings.patterns):
        check_services(step, catalog, environ, job.data)
        step = resolved(step, catalog, environ, simulated=settings.simulated)
        check_media(step, job.request, catalog)
    return job.model_copy(update={"step": step, "context": job.context.model_copy(update={"pattern": name})})


def cut(text: str, length: int) -> str:
    """`text` in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
