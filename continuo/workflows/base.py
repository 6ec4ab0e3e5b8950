"""What the workflows of all patterns share: the account of the run, told at its end and while it lasts."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.activities.models import ModelCalls
from continuo.decisions.ruled import by_rule
from continuo.jobs import WANTED, Account, Failure, Job, Outcome, total_cost
from continuo.operations.dead_letters import Letter
from continuo.patterns.walk import calls_locally
from continuo.progress import Progress
from continuo.temporal.attributes import finished, spent
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.dead_letter import keep
from continuo.workflows.details import of_failure, of_outcome
from continuo.workflows.local_limits import STORE_LIMIT
from continuo.workflows.run_account import RUN, Run, RunAccount
from continuo.workflows.shield import to_the_end
from continuo.workflows.step import run_inline, within
from continuo.workflows.unexpected import unexpected_as_failures
from continuo.workflows.webhook import announce


class PatternWorkflow:
    """Base of every pattern's workflow."""

    def __init__(self) -> None:
        self.counted = RunAccount()
        self.before = timedelta()
        """How long the workflows took that this one continues."""

    @workflow.query
    def progress(self) -> Progress:
        """The steps that have begun and the calls that have ended."""
        return self.counted.progress()

    @workflow.signal
    def account(self, account: Account) -> None:
        """What a child had done when it was cancelled, since a cancelled workflow has no result."""
        self.counted.include(account)

    async def answer(self, job: Job, work: Coroutine[None, None, Outcome] | None = None) -> Outcome:
        """The whole of a workflow's `run`: interpret the job's step (or do `work`), in the job's time, and tell all."""
        info = workflow.info()
        run_id = info.workflow_id.removesuffix(f".{job.path}") if job.path else info.workflow_id
        RUN.set(Run(run_id, self.counted))
        if job.rule is not None and not job.path and job.carried is None:
            self.counted.note(by_rule(job.rule))
        job = streamed(job)
        try:
            with unexpected_as_failures():
                outcome = self.counted.accounted(
                    await self._with_undone(job, self._in_time(job, work or run_inline(job.step, job)))
                )
        except (FailureError, asyncio.CancelledError) as error:
            if not is_cancelled_exception(error):
                failure = self.counted.accounted(failure_of(error))
                workflow.set_current_details(of_failure(failure))
                # Runs of an earlier version end as they would have then.
                if not job.path and workflow.patched("dead-letters"):
                    # The run has failed: a cancellation that comes now ends nothing any more.
                    with suppress(asyncio.CancelledError):
                        await to_the_end(self._bury(job, failure))
                await self._announce(job)
                raise failed(failure) from error
            # A whole run's parent is a dead letter, which keeps no account.
            if job.path and info.parent and self._has_something_to_tell():
                await to_the_end(self._tell(info.parent))
            await self._announce(job)
            raise
        if not job.path:
            # Of the whole run alone: a sum over runs must not count a branch's cost twice.
            workflow.upsert_search_attributes(finished(outcome))
        workflow.set_current_details(of_outcome(outcome))
        await self._announce(job)
        return outcome.model_copy(
            update={
                "latency_ms": round((workflow.now() - info.start_time + self.before).total_seconds() * 1000, 3),
                "workflow_id": info.workflow_id,
                "run_id": info.run_id,
            }
        )

    async def _announce(self, job: Job) -> None:
        """The end of a whole run, which a cancellation that comes now does not change."""
        if not job.path and job.context.background:
            with suppress(asyncio.CancelledError):
                await to_the_end(announce(job))

    async def _with_undone(self, job: Job, work: Coroutine[None, None, Outcome]) -> Outcome:
        """Do the work, and tell what local calls had cost whose results a cancellation has undone."""
        try:
            return await work
        except (FailureError, asyncio.CancelledError) as error:
            self.counted.interrupted |= is_cancelled_exception(error)
            raise
        finally:
            if self.counted.interrupted and calls_locally(job.step):
                await to_the_end(self._include_undone())

    async def _include_undone(self) -> None:
        run, begun = workflow.info().run_id, self.counted.begun
        try:
            account: Account = await workflow.execute_local_activity_method(
                ModelCalls.undone, args=[run, begun], schedule_to_close_timeout=STORE_LIMIT
            )
        except FailureError as error:
            workflow.logger.error(f"what undone calls have cost is unknown: {failure_of(error).message}")
        else:
            self.counted.include(account)

    async def _in_time(self, job: Job, work: Coroutine[None, None, Outcome]) -> Outcome:
        limit = job.context.deadline
        if limit is None or job.path:
            return await work
        outcome = await within(max(0.001, limit - self.before.total_seconds()), work)
        if outcome is None:
            message = f"no answer within {limit:g} s; allow more with --deadline"
            raise failed(Failure(type="DeadlineExceeded", message=message))
        return outcome

    async def _bury(self, job: Job, failure: Failure) -> None:
        """The end of a whole run that failed for good. A retry of a letter makes no other one."""
        info = workflow.info()
        if cost := spent(total_cost(failure.calls)):
            workflow.upsert_search_attributes(cost)
        if info.parent is None:
            ids = {"workflow_id": info.workflow_id, "run_id": info.run_id}
            # Nobody follows a retry.
            job = job.model_copy(update={"stream": None})
            await keep(Letter(job=job, failure=failure, time=workflow.now(), **ids))

    def _has_something_to_tell(self) -> bool:
        # Runs of an earlier version told of their calls alone.
        return bool(self.counted.calls or (self.counted.checkpoints and workflow.patched("checkpoints-told")))

    async def _tell(self, parent: workflow.ParentInfo) -> None:
        handle = workflow.get_external_workflow_handle(parent.workflow_id, run_id=parent.run_id)
        try:
            await handle.signal(PatternWorkflow.account, self.counted.accounted(Account()))
        except FailureError:
            workflow.logger.warning("the parent has ended before it could be told what this child had spent")


def streamed(job: Job) -> Job:
    """The job, whose pieces are those of the run that this workflow is, where they are wanted."""
    return job.model_copy(update={"stream": workflow.info().run_id}) if job.stream == WANTED else job
