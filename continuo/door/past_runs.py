"""What runs that have ended were asked, and what they came to, read from their histories."""

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.plain import described, ended, job_of
from continuo.door.runs import result
from continuo.errors import InputError
from continuo.jobs import Failure, Job, Outcome
from continuo.operations.runs import RunRow

Past = tuple[Job, Outcome | Failure]


async def past(client: Client, row: RunRow) -> Past | None:
    """The job and the end of a run that has ended; None where Temporal has forgotten it, its store has dropped a large
    text of it, or another release has written what this one cannot read."""
    try:
        return await _of_workflow(client, row) or await _of_plain(client, row)
    except (InputError, ValidationError):
        return None
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED):
            raise
        return None


async def _of_workflow(client: Client, row: RunRow) -> Past | None:
    handle = client.get_workflow_handle(row.workflow_id, run_id=row.run_id, result_type=Outcome)
    try:
        # The first event alone: a history may have thousands.
        first = await anext(handle.fetch_history_events(page_size=1))
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return None
    started = first.workflow_execution_started_event_attributes
    job: Job = (await client.data_converter.decode(started.input.payloads, [Job]))[0]
    return job, await result(handle)


async def _of_plain(client: Client, row: RunRow) -> Past | None:
    known = await described(client.get_activity_handle(row.workflow_id, run_id=row.run_id))
    end = await ended(known)
    return None if end is None else (await job_of(known), end)
