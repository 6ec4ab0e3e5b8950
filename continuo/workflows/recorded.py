"""What a run has decided stays decided: recorded in its history, where no later release changes it."""

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

from continuo.activities.recording import Recording
from continuo.jobs import Job

T = TypeVar("T")

LIMIT = timedelta(seconds=10)
"""For one attempt, of which there is no last one: a busy worker must not end a run."""


async def recorded(job: Job, what: str, decision: T, kind: Any) -> T:
    """`decision`, or the one that the history has in its place; it is of type `kind`, and `what` names it in the UI.

    For whatever workflow code works out by rules, words and numbers that a release may change. Keep it small.
    """
    if job.revision < 1:
        return decision
    summary = f"{job.path or job.step.kind}: {what}"
    result: T = await workflow.execute_local_activity(
        Recording.record_decision.__name__, decision, result_type=kind, start_to_close_timeout=LIMIT, summary=summary
    )
    return result
