"""What Temporal still knows: which runs, and what their histories refer to; and letting it forget them."""

import asyncio
import re
from collections.abc import Awaitable, Iterable
from datetime import datetime

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflowservice.v1 import DeleteActivityExecutionRequest, DeleteWorkflowExecutionRequest
from temporalio.client import ActivityExecution, Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.plain import described
from continuo.temporal.plain_calls import plain_calls

AT_ONCE = 8
"""Histories read at the same time, so that the server has others to serve."""

OPEN = "ExecutionStatus = 'Running'"

# The JSON of a reference has the name in quotes. Anything else that looks like it keeps a payload longer, and no more.
NAME = re.compile(rb'"([0-9a-f]{64})"')


async def open_runs(client: Client) -> set[str]:
    """The ids of the runs under way."""
    runs = {run.run_id async for run in client.list_workflows(OPEN)}
    return runs | {call.activity_run_id or "" async for call in plain_calls(client, OPEN)}


async def referred(client: Client, before: datetime) -> set[str]:
    """The names of the payloads that some run refers to which is open, or was started `before` that time."""
    query = f"{OPEN} OR StartTime < '{before.isoformat()}'"
    runs = [run async for run in client.list_workflows(query)]
    return await names_of(client, runs, [call async for call in plain_calls(client, query)])


async def names_of(client: Client, runs: Iterable[WorkflowExecution], calls: Iterable[ActivityExecution]) -> set[str]:
    """The names of the payloads that these refer to."""
    names, places = set[str](), asyncio.Semaphore(AT_ONCE)

    async def read(reading: Awaitable[set[str]]) -> None:
        async with places:
            names.update(await reading)

    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(read(_names(client, run)))
            for call in calls:
                group.create_task(read(_names_of_plain(client, call)))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return names


async def closed(client: Client, kind: str, before: datetime) -> list[WorkflowExecution]:
    """The runs of a workflow type that were closed `before` that time."""
    query = f"WorkflowType = '{kind}' AND ExecutionStatus != 'Running' AND CloseTime < '{before.isoformat()}'"
    return [run async for run in client.list_workflows(query)]


async def delete(client: Client, run: WorkflowExecution) -> None:
    """Let Temporal forget a run, which ends it if it is open; one that it has forgotten is fine."""
    request = DeleteWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=Execution(workflow_id=run.id, run_id=run.run_id)
    )
    try:
        await client.workflow_service.delete_workflow_execution(request)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise


async def delete_call(client: Client, call: ActivityExecution) -> None:
    """The same for a plain call."""
    request = DeleteActivityExecutionRequest(
        namespace=client.namespace, activity_id=call.activity_id, run_id=call.activity_run_id or ""
    )
    try:
        await client.workflow_service.delete_activity_execution(request)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise


async def _names(client: Client, run: WorkflowExecution) -> set[str]:
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    try:
        # First what is not in the history yet, such as the last failure of an activity that is tried again.
        names = set(NAME.findall((await handle.describe()).raw_description.SerializeToString()))
        async for event in handle.fetch_history_events():
            names.update(NAME.findall(event.SerializeToString()))
    except RPCError as error:
        # Forgotten since it was listed: nobody can ask for what it had.
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return set()
    return {name.decode() for name in names}


async def _names_of_plain(client: Client, call: ActivityExecution) -> set[str]:
    try:
        known = await described(client.get_activity_handle(call.activity_id, run_id=call.activity_run_id))
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return set()
    parts = (known.raw_info, known.raw_input, known.raw_outcome)
    return {name.decode() for part in parts if part for name in NAME.findall(part.SerializeToString())}
