"""A job that failed for good, kept until a retry answers it or a person gives it up."""

import asyncio
from collections import deque
from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

from continuo.activities.letters import Letters
from continuo.cut import cut
from continuo.jobs import Job, Outcome
from continuo.operations.dead_letters import TYPE, Closed, Letter
from continuo.temporal.attributes import memo, started
from continuo.temporal.failures import failure_of
from continuo.temporal.task_timeout import task_timeout

LIMIT = timedelta(seconds=60)
"""For one look at a pattern or at a run; after that the letter waits for another signal."""


async def keep(letter: Letter) -> None:
    """Start the letter, on the queue and with the fairness of the run that failed. It outlives that run.

    A letter that cannot be started is logged, so that the run still ends by its own error.
    """
    try:
        await workflow.start_child_workflow(
            TYPE,
            letter,
            id=letter.id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=started(letter.job.context),
            static_summary=cut(letter.failure.cause, 100),
            memo=letter.brief(),
        )
    except FailureError as error:
        workflow.logger.error(f"no dead letter was kept: {error}")


async def begin(job: Job, id: str) -> workflow.ChildWorkflowHandle[object, Outcome]:
    """Start what the door has accepted, as it does: whoever knows a run of this id finds this one in its place. It
    outlives who starts it."""
    context = job.context
    return await workflow.start_child_workflow(
        type(job.step).__name__,
        job.begun(),
        id=id,
        task_queue=context.priority,
        result_type=Outcome,
        # What has been completed since, such as an order submitted again, must not be done twice.
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        search_attributes=started(context),
        task_timeout=task_timeout(job.step),
        static_summary=f"{context.pattern} for {context.tenant}",
        memo=memo(job),
    )


@workflow.defn(name=TYPE, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class DeadLetterWorkflow:
    """Signals that come while a retry runs take effect after it; a discard comes before the retries that wait."""

    @workflow.init
    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._retries: deque[str | None] = deque()
        self._discarded: str | None = None

    @workflow.run
    async def run(self, letter: Letter) -> Closed:
        self._show()
        while True:
            await workflow.wait_condition(lambda: bool(self._retries) or self._discarded is not None)
            if self._discarded is not None:
                return self._end(Closed(by="discarded", note=self._discarded))
            # A cancellation ends the letter, and not the run that a retry has begun.
            retry = asyncio.create_task(self._try(self._retries.popleft()))
            try:
                closed = await asyncio.shield(retry)
            except FailureError as error:
                self._show(note=f"not retried: {failure_of(error).message}")
            else:
                if closed is not None:
                    return self._end(closed)

    @workflow.signal
    def retry(self, pattern: str | None = None) -> None:
        """Run the job again, as it was or with the named pattern `pattern`."""
        self._retries.append(pattern)

    @workflow.signal
    def discard(self, note: str = "") -> None:
        """Give the job up."""
        self._discarded = note

    @workflow.query
    def letter(self) -> Letter:
        """The job with its input, its last error and the run that failed."""
        return self._letter

    async def _try(self, pattern: str | None) -> Closed | None:
        """Run the job again to its end; None if that gave no answer. Raises `FailureError` when it cannot begin."""
        job = self._letter.job
        if pattern is not None or workflow.patched("retry-passes-stages"):
            job = await workflow.execute_local_activity_method(
                Letters.again, args=[job, pattern], schedule_to_close_timeout=LIMIT
            )
        try:
            run = await begin(job, self._letter.workflow_id)
        except WorkflowAlreadyStartedError:
            return await self._done_before()
        self._show(note=f"a retry is under way: run {run.first_execution_run_id}")
        tries = self._letter.tries + 1
        try:
            await run
        except FailureError as error:
            if is_cancelled_exception(error):
                self._show(tries=tries, note="the last retry was cancelled")
            else:
                self._show(tries=tries, note="the last retry failed", failure=failure_of(error))
            return None
        return Closed(by="answered", run_id=run.first_execution_run_id)

    async def _done_before(self) -> Closed | None:
        id = self._letter.workflow_id
        run_id = await workflow.execute_local_activity_method(Letters.answered, id, schedule_to_close_timeout=LIMIT)
        if run_id is None:
            self._show(note=f"not retried: another run of {id} is under way")
            return None
        return Closed(by="done before", run_id=run_id, note=f"{id} has been completed since; it is not done twice")

    def _end(self, closed: Closed) -> Closed:
        self._show(note=": ".join(filter(None, (closed.by, closed.note))))
        return closed

    def _show(self, **update: object) -> None:
        """Change what is known of the letter, where the list and the UI show it."""
        self._letter = letter = self._letter.model_copy(update=update)
        if update:
            workflow.upsert_memo(letter.brief())
        context = letter.job.context
        lines = (
            f"**{letter.failure.cause}**",
            f"Pattern `{context.pattern}` for tenant `{context.tenant}`, failed {letter.time:%Y-%m-%d %H:%M:%S} UTC: "
            f"`{letter.workflow_id}`, run `{letter.run_id}`. Retries: {letter.tries}. {letter.note}",
            "Send the signal `retry` to run it again, with the name of a pattern to run another one, such as "
            '`"support"`, or the signal `discard` to give it up. The query `letter` has its input.',
        )
        workflow.set_current_details("\n\n".join(lines))
