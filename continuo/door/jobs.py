"""What became of a job: a run that is asked for by its id, whoever started it and wherever."""

import asyncio
from collections.abc import Sequence

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.collecting import begun
from continuo.door.runs import result, state_of
from continuo.jobs import Outcome
from continuo.operations.jobs import JobState, ended
from continuo.operations.runs import RunRow

AT_ONCE = 8
"""Runs looked at at the same time, so that the server has others to serve."""


async def job_state(client: Client, run: RunRow) -> JobState:
    """The job of this run with what it came to. Where Temporal has forgotten the run, what its row says is all."""
    try:
        now, row = await _now(client, run)
        if (state := state_of(now)) != "ended":
            return JobState(row, state)
        handle = client.get_workflow_handle(run.workflow_id, run_id=row.run_id, result_type=Outcome)
        end = await result(handle)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        row = run if run.ended else run.model_copy(update={"status": "forgotten"})
        return JobState(row, ended(row))
    row = row.with_account(end) if row.status == "cancelled" else row.with_result(end)
    return JobState(row, ended(row), end)


async def job_states(client: Client, runs: Sequence[RunRow]) -> list[JobState]:
    """The same without what they came to: of those that have ended the rows say it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def state(run: RunRow) -> JobState:
        if run.ended or run.status == "forgotten":
            return JobState(run, ended(run))
        async with places:
            return await job_state(client, run)

    return await asyncio.gather(*map(state, runs))


async def _now(client: Client, run: RunRow) -> tuple[WorkflowExecutionDescription, RunRow]:
    """The newest run under its id, which may be a later one, and its row as long as it has not ended."""
    now = await client.get_workflow_handle(run.workflow_id).describe()
    seen = await begun(now)
    return now, seen.row if seen else run
