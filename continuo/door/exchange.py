"""What a run was asked and what it answered, as people judge it."""

import json
from typing import NamedTuple

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.plain import described, ended, job_of
from continuo.door.runs import result
from continuo.jobs import Failure, Job, Outcome
from continuo.operations.runs import RunRow

# The id of what was answered without a run is none to Temporal.
_UNKNOWN = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNIMPLEMENTED)


class Exchange(NamedTuple):
    """The `question` of a run, with placeholders as it was kept, and its `answer`."""

    question: str
    answer: str


async def exchange(client: Client, row: RunRow) -> Exchange | None:
    """That of a run that is done; None where Temporal has forgotten it."""
    for read in (_of_workflow, _of_call):
        try:
            job, end = await read(client, row)
        except RPCError as error:
            if error.status not in _UNKNOWN:
                raise
        else:
            return Exchange(_question(job), end.text if isinstance(end, Outcome) else "")
    return None


async def _of_workflow(client: Client, row: RunRow) -> tuple[Job, Outcome | Failure]:
    handle = client.get_workflow_handle(row.workflow_id, run_id=row.run_id, result_type=Outcome)
    begun = await anext(handle.fetch_history_events(page_size=1))
    given = begun.workflow_execution_started_event_attributes.input.payloads
    job: Job = (await client.data_converter.decode(given, [Job]))[0]
    return job, await result(handle)


async def _of_call(client: Client, row: RunRow) -> tuple[Job, Outcome | Failure | None]:
    known = await described(client.get_activity_handle(row.workflow_id, run_id=row.run_id))
    return await job_of(known), await ended(known)


def _question(job: Job) -> str:
    """All that was said, or the data; who said what where it is more than one turn."""
    turns = job.request.messages
    texts = [
        "\n".join([*(f"[{one.kind} {one.name or one.sha256[:12]}]" for one in turn.media), turn.text]) for turn in turns
    ]
    if len(texts) > 1:
        texts = [f"{turn.role}: {text}" for turn, text in zip(turns, texts, strict=True)]
    return "\n\n".join([*filter(None, texts), *([json.dumps(job.data, indent=2)] if job.data else [])])
