"""Telling an address that a run has ended, for a day if need be."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from continuo.activities.webhooks import LONGEST_PAUSE, SECONDS, Webhooks
from continuo.jobs import Failure, Job
from continuo.operations.webhooks import TYPE, Delivery, Notice
from continuo.temporal.activity_options import HEARTBEAT_TIMEOUT
from continuo.temporal.attributes import TENANT
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.local_limits import STORE_LIMIT

DAY = timedelta(days=1)

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10))
LATER = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(seconds=LONGEST_PAUSE))
"""Where an attempt does not say itself when the next one is due, since its worker died."""


async def announce(job: Job) -> None:
    """Start what tells the webhook of the job's run, which is about to end, and outlives it.

    One that cannot be started is logged, so that the run still ends by its own result.
    """
    background = job.context.background
    if background is None or background.webhook is None:
        return
    info = workflow.info()
    notice = Notice(
        url=background.webhook,
        subject=background.id,
        tenant=job.context.tenant,
        workflow_id=info.workflow_id,
        run_id=info.run_id,
    )
    try:
        await workflow.start_child_workflow(
            TYPE,
            notice,
            id=notice.id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT, notice.tenant)]),
            static_summary=f"the end of {notice.subject}",
        )
    except FailureError as error:
        workflow.logger.error(f"no webhook is told: {error}")


@workflow.defn(name=TYPE)
class WebhookWorkflow:
    @workflow.run
    async def run(self, notice: Notice) -> Delivery:
        """One that nobody took within a day fails: it is then found in Temporal by its type, and can be reset."""
        event = await workflow.execute_activity_method(
            Webhooks.event,
            notice,
            schedule_to_close_timeout=DAY,
            start_to_close_timeout=STORE_LIMIT,
            retry_policy=SOON,
        )
        workflow.set_current_details(f"**{event.type}** of `{notice.subject}`, event `{event.id}`")
        try:
            return await workflow.execute_activity_method(
                Webhooks.deliver,
                args=[notice, event],
                summary=event.type,
                schedule_to_close_timeout=DAY,
                start_to_close_timeout=timedelta(seconds=2 * SECONDS),
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=LATER,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            message = f"{event.type} of {notice.subject} was not delivered within a day: {failure_of(error).message}"
            workflow.logger.error(message)
            raise failed(Failure(type="NotDelivered", message=message)) from error
