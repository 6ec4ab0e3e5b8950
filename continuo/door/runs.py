"""Runs: how a job is started, and what becomes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import quote

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import is_cancelled_exception
from temporalio.service import RPCError, RPCStatusCode

from continuo.decided import Decision
from continuo.guardrails.restoring import Restoring
from continuo.jobs import CANCELLED, Account, Failure, Job, Outcome
from continuo.progress import Progress
from continuo.temporal.attributes import memo, started
from continuo.temporal.failures import failure_of
from continuo.temporal.task_timeout import task_timeout

Handle = WorkflowHandle[object, Outcome]
State = Literal["queued", "running", "ended", "unknown"]

GivesRestoring = Callable[[], Awaitable[Restoring]]

PATIENCE = 10.0
"""Seconds in which a worker tells what a run had done that was cancelled."""

UNTOUCHED = 2
"""Events of a history whose workflow no pool has begun: it was started, and its first task waits."""


@dataclass(frozen=True)
class Run:
    """What was submitted, `answered_before` if its id had an answer already. `handle` is its workflow's.

    Its result has the values in place of the placeholders, as `restoring` knows them.
    """

    handle: Handle
    answered_before: bool = False
    restoring: GivesRestoring | None = None

    @property
    def id(self) -> str:
        """The workflow's."""
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        return self.handle.result_run_id or self.handle.first_execution_run_id

    @property
    def page(self) -> str:
        """Its page in Temporal's UI, below that of the namespace."""
        return f"workflows/{quote(self.id, safe='')}/{self.run_id}/history"

    async def newest_run_id(self) -> str:
        """The run id, asked for. Raises `RPCError` where the server does not know it."""
        return (await self.handle.describe()).run_id

    async def state(self) -> State:
        """How it stands, without waiting for anything but the server."""
        try:
            known = await self.handle.describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return "unknown"
        return state_of(known)

    async def result(self) -> Outcome | Failure:
        """What it came to, waited for as long as it takes; no failure is an exception."""
        return await restored(self.restoring, await result(self.handle))

    async def progress(self) -> Progress:
        """How far it is, or was at its end; nothing as long as no worker answers for it."""
        return await progress(self.handle)

    async def cancel(self) -> None:
        """Ask it to end; a saga is then undone. Its result says when it has."""
        await self.handle.cancel()


async def start(
    client: Client,
    job: Job,
    *,
    id: str,
    weight: float = 1.0,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    join: bool = True,
    decisions: tuple[Decision, ...] = (),
) -> Handle:
    """Start `job` on its priority's queue as a workflow of its pattern's type; one that runs under `id` is joined, or
    is an error.

    `weight` is its key's or its tenant's share of that queue, for this job and all that it starts in turn, and
    `decisions` are those of the stages that it has passed, for the audit. What a
    person asks comes by `continuo.door.submit`, since this checks nothing.
    """
    context = job.context
    return await client.start_workflow(
        type(job.step).__name__,
        job.begun(),
        id=id,
        task_queue=context.priority,
        result_type=Outcome,
        id_reuse_policy=reuse,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING if join else WorkflowIDConflictPolicy.FAIL,
        search_attributes=started(context),
        task_timeout=task_timeout(job.step),
        static_summary=f"{context.pattern} for {context.tenant}",
        memo=memo(job, decisions),
        priority=Priority(fairness_key=context.tenant, fairness_weight=weight),
    )


async def result(handle: Handle) -> Outcome | Failure:
    """What the run came to; a run that ended without an answer is a `Failure`, never an exception."""
    try:
        return await handle.result()
    except WorkflowFailureError as error:
        if is_cancelled_exception(error.cause):
            # At its end it has all the time that a busy worker needs; without one nobody knows.
            return cancelled(await known_progress(handle, PATIENCE) or Progress())
        return failure_of(error.cause)


async def restored(restoring: GivesRestoring | None, end: Outcome | Failure) -> Outcome | Failure:
    """What a run came to as its caller sees it."""
    return end if restoring is None else (await restoring()).restored_model(end)


def state_of(run: WorkflowExecutionDescription) -> Literal["queued", "running", "ended"]:
    if run.status != WorkflowExecutionStatus.RUNNING:
        return "ended"
    return "running" if run.history_length > UNTOUCHED else "queued"


def cancelled(account: Account) -> Failure:
    """What a run came to that was cancelled after it had done this."""
    done = {"calls": account.calls, "checkpoints": account.checkpoints, "omitted": account.omitted}
    return Failure(type=CANCELLED, message="the run was cancelled before it had an answer").model_copy(update=done)


async def progress(handle: WorkflowHandle[Any, Any]) -> Progress:
    """How far a run is, or was at its end; nothing as long as no worker answers for it."""
    return await known_progress(handle) or Progress()


async def known_progress(handle: WorkflowHandle[Any, Any], seconds: float = 2) -> Progress | None:
    """The same, and None where no worker answers for it in so many seconds."""
    try:
        answer: Progress = await handle.query("progress", result_type=Progress, rpc_timeout=timedelta(seconds=seconds))
    except (RPCError, WorkflowQueryFailedError):
        return None
    return answer
