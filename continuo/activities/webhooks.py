"""Webhooks: what became of a run, and telling it to an address of the internet."""

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from continuo.activities.poster import Poster
from continuo.door.collecting import seen_of
from continuo.operations.jobs import ended
from continuo.operations.webhooks import Delivery, Event, Notice, event_of
from continuo.stores.runs import Runs


class Webhooks:
    def __init__(self, client: Client, runs: Runs, poster: Poster) -> None:
        self._client = client
        self._runs = runs
        self._poster = poster

    @activity.defn(name="webhook_event")
    async def event(self, notice: Notice) -> Event:
        """The event of the run, whose row says then that it has ended, since whoever is told may look. Fails until
        it has."""
        run = await self._client.get_workflow_handle(notice.workflow_id, run_id=notice.run_id).describe()
        if run.status == WorkflowExecutionStatus.RUNNING or run.close_time is None:
            raise ApplicationError(f"{notice.workflow_id} has not ended yet", type="NotEnded")
        seen = await seen_of(self._client, run)
        if seen is None:
            raise ApplicationError(f"{notice.workflow_id} is not known any more", type="Forgotten", non_retryable=True)
        await self._runs.keep([seen.row], seen.entries)
        return event_of(notice, ended(seen.row), run.close_time.timestamp())

    @activity.defn(name="webhook_delivery")
    async def deliver(self, notice: Notice, event: Event) -> Delivery:
        """Tell it. Fails, to be tried again after a longer pause each time, where it is neither taken nor unwanted."""
        return await self._poster.deliver(notice.url, event.body, id=event.id, type=event.type, tenant=notice.tenant)
