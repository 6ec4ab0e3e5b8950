"""One model call: an activity on the priority's own queue, with the step's retry policy."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.models import ModelCalls
from continuo.jobs import CallRecord, Job, Outcome
from continuo.limits import Wait
from continuo.patterns import Call
from workflows.activity_options import options
from workflows.base import PatternWorkflow
from workflows.failures import failure_of
from workflows.step import run_inline
from workflows.trace import trace


@run_inline.register
async def call(step: Call, job: Job) -> Outcome:
    where = f"{job.path}: " if job.path else ""
    try:
        while isinstance(
            outcome := await workflow.execute_activity_method(
                ModelCalls.call, job, summary=f"{where}{step.model}", **options(step)
            ),
            Wait,
        ):
            # A timer, so that whoever waits for its turn holds no slot.
            await workflow.sleep(outcome.seconds, summary=outcome.why)
    except (FailureError, asyncio.CancelledError) as error:
        if is_cancelled_exception(error):
            trace().calls.append(CallRecord(path=job.path, model=step.model, status="cancelled"))
        else:
            trace().include(failure_of(error))
        raise
    trace().include(outcome)
    return outcome


@workflow.defn(name="Call")
class CallWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
