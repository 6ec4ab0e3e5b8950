"""Starting a job and waiting for what becomes of it."""

from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowQueryFailedError
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import is_cancelled_exception
from temporalio.service import RPCError

from continuo.config.settings import Settings
from continuo.config.tenants import Tenants, load_tenants
from continuo.jobs import Failure, Job, Outcome
from continuo.progress import Progress
from continuo.temporal.attributes import started
from continuo.temporal.failures import failure_of
from continuo.workflows.activity_options import task_timeout

Handle = WorkflowHandle[object, Outcome]


async def start(
    client: Client,
    job: Job,
    *,
    id: str,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
) -> Handle:
    """Start `job` on its priority's queue as a workflow of its pattern's type; one that runs under `id` is joined.

    In that queue its tenant has the share that the tenants' file says, for all that the job starts in turn.
    """
    context = job.context
    return await client.start_workflow(
        type(job.step).__name__,
        job.begun(),
        id=id,
        task_queue=context.priority,
        result_type=Outcome,
        id_reuse_policy=reuse,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=started(context),
        task_timeout=task_timeout(job.step),
        static_summary=f"{context.pattern} for {context.tenant}",
        memo={"user": context.user} if context.user else None,
        priority=_share(context.tenant),
    )


def _share(tenant: str) -> Priority:
    """The tenant's turns in a busy queue."""
    return Priority(fairness_key=tenant, fairness_weight=tenants().of(tenant).weight)


@cache
def tenants() -> Tenants:
    """Read once, for the thousands of jobs that one process may start. Raises `InputError` for a wrong file."""
    return load_tenants(Settings().tenants)


async def result(handle: Handle) -> Outcome | Failure:
    """What the run came to; a run that ended without an answer is a `Failure`, never an exception."""
    try:
        return await handle.result()
    except WorkflowFailureError as error:
        if is_cancelled_exception(error.cause):
            known = await progress(handle)
            account = {"calls": known.calls, "checkpoints": known.checkpoints, "omitted": known.omitted}
            message = "the run was cancelled before it had an answer"
            return Failure(type="Cancelled", message=message).model_copy(update=account)
        return failure_of(error.cause)


async def progress(handle: WorkflowHandle[Any, Any]) -> Progress:
    """How far a run is, or was at its end; nothing as long as no worker answers for it."""
    try:
        found: Progress = await handle.query("progress", result_type=Progress, rpc_timeout=timedelta(seconds=2))
    except (RPCError, WorkflowQueryFailedError):
        return Progress()
    return found


def ui_address(ui_url: str, namespace: str, handle: Handle) -> str:
    """The page of a run in Temporal's UI."""
    run = handle.result_run_id or handle.first_execution_run_id
    return f"{ui_url}/namespaces/{namespace}/workflows/{quote(handle.id, safe='')}/{run}/history"
