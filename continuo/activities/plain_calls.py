"""A model call that is a run of its own: what a workflow does around a call is done here."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.activities.errors import failed_at, failed_attempts, unless_broken, waits
from continuo.activities.identity import identity, run_id
from continuo.activities.models import ModelCalls
from continuo.activities.unexpected import reaching_out, unexpected
from continuo.cut import cut
from continuo.jobs import WANTED, Failure, Job, Outcome
from continuo.operations.dead_letters import TYPE as LETTER
from continuo.operations.dead_letters import Letter, letter_id
from continuo.protection.rate_limits import Wait
from continuo.temporal.activity_options import PLAIN_CALL
from continuo.temporal.attributes import started
from continuo.temporal.failures import failed, failure_of

log = structlog.get_logger()

PATIENCE = timedelta(seconds=10)
"""For what a dead letter has to say."""


class PlainCalls:
    def __init__(self, calls: ModelCalls, client: Client) -> None:
        self._calls = calls
        self._client = client

    @reaching_out
    @activity.defn(name=PLAIN_CALL)
    async def plain_call(self, job: Job) -> Outcome:
        """Answer a job whose step is a `Call`. A call that has to wait holds no slot meanwhile: it fails, to be tried
        again when it is its turn."""
        info, run = activity.info(), run_id()
        died = info.attempt - 1 > failed_attempts(0) + waits()
        if died and (failure := await self._buried(run)) is not None:
            raise failed(failure)
        if job.stream == WANTED:
            job = job.model_copy(update={"stream": run})
        try:
            outcome = await self._calls.call(job)
        except asyncio.CancelledError:
            await self._tell(job)
            raise
        except Exception as error:
            if _cancelled():
                await self._tell(job)
                raise asyncio.CancelledError from error
            if not isinstance(error, ApplicationError):
                final = unexpected(error)
                await self._bury(job, failure_of(final))
                raise final from error
            if error.non_retryable:
                await self._bury(job, failure_of(error))
            raise
        if isinstance(outcome, Wait):
            activity.heartbeat(failed_attempts(0), waits() + 1, failed_at())
            raise ApplicationError(
                outcome.why,
                type="Wait",
                next_retry_delay=timedelta(seconds=outcome.seconds),
                category=ApplicationErrorCategory.BENIGN,
            )
        # The server's clock may be ahead.
        latency = max(0.0, (datetime.now(UTC) - info.scheduled_time).total_seconds() * 1000)
        update = {"latency_ms": round(latency, 3), "workflow_id": info.activity_id, "run_id": run}
        return outcome.model_copy(update=update)

    async def _tell(self, job: Job) -> None:
        """Leave what a cancelled call came to where its last heartbeat is: it has no result."""
        if _cancelled():
            account = await unless_broken("the ledger", self._calls.account_of(job, identity()))
            if account is not None:
                activity.heartbeat(failed_attempts(0), waits(), failed_at(), account)

    async def _buried(self, run: str) -> Failure | None:
        """Why it has failed for good, where the worker died between the dead letter and the end."""
        handle = self._client.get_workflow_handle(letter_id(activity.info().activity_id, run))
        try:
            letter: Letter = await handle.query("letter", result_type=Letter, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise ApplicationError(f"its dead letter cannot be asked: {error}", type="Unknown") from error
            return None
        return letter.failure

    async def _bury(self, job: Job, failure: Failure) -> None:
        """Keep it as a dead letter. One that cannot be started is logged, so that the run still ends by its error."""
        info, context = activity.info(), job.context
        letter = Letter(
            # Nobody follows a retry.
            job=job.model_copy(update={"stream": None}),
            failure=failure,
            workflow_id=info.activity_id,
            run_id=run_id(),
            time=datetime.now(UTC),
            plain=True,
        )
        try:
            await self._client.start_workflow(
                LETTER,
                letter,
                id=letter.id,
                task_queue=context.priority,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=started(context),
                static_summary=cut(failure.cause, 100),
                memo=letter.brief(),
                priority=info.priority,
            )
        except (RPCError, WorkflowAlreadyStartedError) as error:
            log.error("no dead letter was kept", error=f"{error}")


def _cancelled() -> bool:
    """Whether its caller has cancelled it; a worker that stops is no reason to end a call for good."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested
