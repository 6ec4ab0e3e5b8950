"""Looking whether there are alerts, by a schedule or by hand."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from continuo.activities.alerting import Alerting
from continuo.operations.alerts import TYPE, Evaluated

LIMIT = timedelta(seconds=60)
"""For one attempt; another one comes with the schedule's next time."""


@workflow.defn(name=TYPE)
class AlertsWorkflow:
    @workflow.run
    async def run(self) -> Evaluated:
        result = await workflow.execute_activity_method(
            Alerting.evaluate,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=3),
        )
        lines = [f"{result.firing} alerts fire"]
        for words in ("fired", "recovered", "unmeasured"):
            lines += [f"{words}: {name}" for name in getattr(result, words)]
        workflow.set_current_details("\n\n".join(lines))
        return result
