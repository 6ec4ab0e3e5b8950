"""Telling an address that a run has ended, for a day if need be."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from continuo.activities.poster import OPTIONS
from continuo.activities.webhooks import Webhooks
from continuo.jobs import Failure, Job
from continuo.operations.webhooks import TYPE, Delivery, Event, How, Notice, event_of
from continuo.temporal.attributes import TENANT
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.local_limits import STORE_LIMIT

DAY = timedelta(days=1)

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10))


async def announce(job: Job) -> None:
    """Start what tells the webhook of the job's run, if it has one."""
    background = job.context.background
    if background is not None and background.webhook is not None:
        await tell(background.webhook, background.id, job.context.tenant)


async def tell(url: str, subject: str, tenant: str, how: How | None = None) -> None:
    """Start what tells `url` of the end of this workflow, which is about to come, and outlives it.

    One that cannot be started is logged, so that the workflow still ends by its own result.
    """
    info = workflow.info()
    notice = Notice(url=url, subject=subject, tenant=tenant, workflow_id=info.workflow_id, run_id=info.run_id, how=how)
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
        event = await self._event(notice)
        workflow.set_current_details(f"**{event.type}** of `{notice.subject}`, event `{event.id}`")
        try:
            return await workflow.execute_activity_method(
                Webhooks.deliver,
                args=[notice, event],
                summary=event.type,
                schedule_to_close_timeout=DAY,
                **OPTIONS,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            message = f"{event.type} of {notice.subject} was not delivered within a day: {failure_of(error).message}"
            workflow.logger.error(message)
            raise failed(Failure(type="NotDelivered", message=message)) from error

    async def _event(self, notice: Notice) -> Event:
        if notice.how is not None:
            return event_of(notice, notice.how, workflow.info().start_time.timestamp())
        return await workflow.execute_activity_method(
            Webhooks.event,
            notice,
            schedule_to_close_timeout=DAY,
            start_to_close_timeout=STORE_LIMIT,
            retry_policy=SOON,
        )
