"""Runs that could not tell of their end themselves: they were terminated, or ran out of Temporal's time."""

from contextlib import suppress

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.operations.webhooks import TYPE, Notice
from continuo.temporal.attributes import TENANT

_SILENT = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT)


async def tell(client: Client, run: WorkflowExecution) -> None:
    """Start what tells the webhook of a run that ended so, once; unless another run goes on in its place."""
    if run.status not in _SILENT:
        return
    memo, tenant = await run.memo(), run.typed_search_attributes.get(TENANT)
    if tenant is None or memo.get("webhook") is None or not await _is_newest(client, run):
        return
    notice = Notice(url=memo["webhook"], subject=memo["job"], tenant=tenant, workflow_id=run.id, run_id=run.run_id)
    # It is looked at again and again for a while.
    with suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            TYPE,
            notice,
            id=notice.id,
            task_queue=run.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT, tenant)]),
            static_summary=f"the end of {notice.subject}",
        )


async def _is_newest(client: Client, run: WorkflowExecution) -> bool:
    """Whether no other run has its id: one that is reset ends as terminated."""
    try:
        return (await client.get_workflow_handle(run.id).describe()).run_id == run.run_id
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
