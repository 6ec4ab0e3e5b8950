"""One time of a schedule: what was planned is checked as it is now, and run."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

from continuo.activities.scheduling import Due, Scheduling
from continuo.door.schedules import Planned
from continuo.jobs import Failure, Outcome
from continuo.operations.dead_letters import Letter
from continuo.operations.schedules import TYPE
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.dead_letter import LIMIT, begin, keep
from continuo.workflows.shield import to_the_end


@contextmanager
def failures_shown() -> Iterator[None]:
    """Inside, why a time fails is in its details, and what it ends by."""
    try:
        yield
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        failure = failure_of(error)
        workflow.set_current_details(f"**{failure.cause}**")
        raise failed(failure) from error


@workflow.defn(name=TYPE)
class ScheduledWorkflow:
    """Lasts as long as the run that it starts, so that the schedule knows of it: its end is this one's, and a
    cancellation is handed on. The run is found as any other, and goes on where this workflow is terminated."""

    @workflow.run
    async def run(self, planned: Planned) -> Outcome:
        with failures_shown():
            due = await workflow.execute_local_activity_method(Scheduling.due, planned, schedule_to_close_timeout=LIMIT)
            workflow.upsert_memo({"run": due.run})
            return await self._done(due)

    async def _done(self, due: Due) -> Outcome:
        try:
            run = await begin(due.job, due.run)
        except WorkflowAlreadyStartedError:
            # By hand twice in a second, or made up for again.
            done = Failure(type="DoneBefore", message=f"{due.run} has run already; a time of a schedule is done once")
            raise failed(done) from None
        workflow.set_current_details(f"Runs `{due.run}`, run {run.first_execution_run_id}.")
        try:
            outcome: Outcome = await run
        except FailureError as error:
            if not is_cancelled_exception(error):
                # A run with a parent keeps none of its own.
                ids = {"workflow_id": due.run, "run_id": run.first_execution_run_id}
                letter = Letter(job=due.job, failure=failure_of(error), time=workflow.now(), **ids)
                await to_the_end(keep(letter))
            raise
        return outcome
