"""One time of a schedule of a batch: its items are checked as things are now, and run."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, VersioningBehavior

from continuo.activities.scheduling import DueBatch, Scheduling
from continuo.door.schedules import PlannedBatch
from continuo.operations.batches import TYPE, Position, Tally, workflow_id
from continuo.operations.provider_batches import TYPE as PROVIDER_TYPE
from continuo.operations.schedules import BATCH_TYPE
from continuo.temporal.activity_options import HEARTBEAT_TIMEOUT
from continuo.temporal.attributes import PRIORITY, TENANT
from continuo.workflows.scheduled import failures_shown

LIMIT = timedelta(hours=1)
"""For a copy of all items."""


@workflow.defn(name=BATCH_TYPE, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class ScheduledBatchWorkflow:
    """Lasts as long as its batch, as `ScheduledWorkflow` does as its run. How the items end is the batch's to tell."""

    @workflow.run
    async def run(self, planned: PlannedBatch) -> Tally:
        with failures_shown():
            due = await workflow.execute_activity_method(
                Scheduling.due_batch, planned, start_to_close_timeout=LIMIT, heartbeat_timeout=HEARTBEAT_TIMEOUT
            )
            workflow.upsert_memo({"run": due.id})
            return await self._done(due)

    async def _done(self, due: DueBatch) -> Tally:
        context = due.context
        tally: Tally = await workflow.execute_child_workflow(
            PROVIDER_TYPE if due.at_provider else TYPE,
            Position(tenant=context.tenant, id=due.id),
            id=workflow_id(context.tenant, due.id),
            task_queue=context.priority,
            result_type=Tally,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(TENANT, context.tenant), SearchAttributePair(PRIORITY, context.priority)]
            ),
            static_summary=f"{context.pattern} for {context.tenant}",
        )
        return tally
