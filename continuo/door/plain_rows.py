"""The row of a plain call, in which Temporal keeps no memo: what it was asked says for whom it ran."""

import logging
from collections.abc import Mapping

from temporalio.client import ActivityExecutionDescription, ActivityExecutionStatus, Client
from temporalio.service import RPCError, RPCStatusCode

from continuo.decided import Decision
from continuo.door.plain import described, ended, job_of
from continuo.jobs import CANCELLED, Failure, Job, Outcome
from continuo.operations.audit import Seen, asked_of
from continuo.operations.runs import RunRow, RunStatus
from continuo.stores.database import StoreUnavailable
from continuo.temporal.activity_options import PLAIN_CALL

log = logging.getLogger(__name__)

PLAIN = f"ActivityType = '{PLAIN_CALL}'"
"""In Temporal's list of activities: the runs."""

_STATUS: Mapping[ActivityExecutionStatus, RunStatus] = {
    ActivityExecutionStatus.COMPLETED: "done",
    ActivityExecutionStatus.FAILED: "failed",
    ActivityExecutionStatus.CANCELED: "cancelled",
    ActivityExecutionStatus.TERMINATED: "terminated",
    ActivityExecutionStatus.TIMED_OUT: "timed_out",
}


async def plain_row(client: Client, id: str, run_id: str) -> RunRow | None:
    """The row of one call; None if it is forgotten, or cannot be read by this release."""
    seen = await plain_seen(client, id, run_id)
    return seen and seen.row


async def plain_seen(client: Client, id: str, run_id: str) -> Seen | None:
    """The same with what it was asked and what it came to."""
    try:
        known = await described(client.get_activity_handle(id, run_id=run_id))
        job, end = await job_of(known), await ended(known)
        decisions = tuple(map(Decision.model_validate, job.decisions))
        return Seen(row_of_plain(known, job, end), asked_of(job, decisions), end)
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED):
            raise
    except StoreUnavailable:
        raise
    except Exception as error:
        # It must not hold up all others.
        log.warning("the call %s cannot be read: %s: %s", id, type(error).__name__, error)
    return None


def row_of_plain(known: ActivityExecutionDescription, job: Job, end: Outcome | Failure | None) -> RunRow:
    """The row of a call that was asked `job` and came to `end`."""
    run_id, context, close = known.activity_run_id, job.context, known.close_time
    assert run_id is not None
    row = RunRow(
        run_id=run_id,
        workflow_id=known.activity_id,
        tenant=context.tenant,
        user=context.user,
        pattern=context.pattern,
        kind=job.step.kind,
        status=_STATUS.get(known.status, "running"),
        started=known.schedule_time,
        ended=close,
        latency_ms=close and round((close - known.schedule_time).total_seconds() * 1000, 3),
    )
    if isinstance(end, Failure) and end.type == CANCELLED:
        return row.with_account(end).model_copy(update={"status": "cancelled"})
    return row.with_result(end) if end is not None and row.status in ("done", "failed") else row
