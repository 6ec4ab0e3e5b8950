"""A job as it is told."""

from typing import Any

from continuo.jobs import Failure, Outcome
from continuo.operations.jobs import JobState
from continuo.wire.account import account
from continuo.wire.errors import status_of


def response(job: JobState, *, status_url: str) -> dict[str, Any]:
    """The job; `result` is there when it is completed, `error` when it has ended otherwise, as far as it is known.

    Times are in seconds since 1970.
    """
    run, end = job.run, job.end
    made: dict[str, Any] = {
        "id": run.job,
        "object": "job",
        "status": job.status,
        "pattern": run.pattern,
        "created_at": int(run.started.timestamp()),
        "ended_at": run.ended and int(run.ended.timestamp()),
        "metadata": run.metadata,
        "status_url": status_url,
        "result": None,
        "error": None,
        "continuo": {"pattern": run.pattern, "workflow_id": run.workflow_id, "run_id": run.run_id},
    }
    match end:
        case Outcome():
            result = end.model_dump(mode="json", exclude_defaults=True)
            return {**made, "result": result, "continuo": account(end, run.pattern)}
        case Failure():
            error = end.model_dump(mode="json", exclude_defaults=True)
            return {**made, "error": {**error, "code": status_of(end).code}}
    if job.status in ("failed", "cancelled"):
        kind, _, message = (run.error or f"{run.status}: no more is known of it").partition(": ")
        made["error"] = {"type": kind, "message": message}
    return made
