"""Shifting the weights of adaptive splits, by a schedule or by hand."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from continuo.activities.shifting import Splits
from continuo.operations.shifts import TYPE, Shifted

LIMIT = timedelta(seconds=60)
"""For one attempt; another one comes with the schedule's next time."""


@workflow.defn(name=TYPE)
class ShiftSplitsWorkflow:
    @workflow.run
    async def run(self) -> Shifted:
        result = await workflow.execute_activity_method(
            Splits.shift,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=3),
        )
        lines = [f"{name}, {variant}: {why}" for name, whys in result.shifted.items() for variant, why in whys.items()]
        lines += [f"{name}: {why}" for name, why in result.unchanged.items()]
        workflow.set_current_details("\n\n".join(lines))
        return result
