"""What a scheduled request is when its time has come."""

import asyncio
from typing import Annotated, Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.authoring.library import Library
from continuo.data import WHEN_SET, Data
from continuo.door.batches import Batches
from continuo.door.schedules import Planned, PlannedBatch
from continuo.door.stages import accepted
from continuo.door.submit import Door, run_id
from continuo.errors import InputError
from continuo.jobs import Context, Job
from continuo.stores.batches import BatchStore


class Due(Data):
    """The job of this time, and the workflow id of its run."""

    job: Job
    run: str


class DueBatch(Data):
    """The id of the batch of this time, which is kept, for whom it is, and whether it is at its provider."""

    id: str
    context: Context
    at_provider: Annotated[Literal[True] | None, WHEN_SET] = None


class Scheduling:
    """`due` is a local activity: it takes one look. `due_batch` reads and writes every item."""

    def __init__(self, library: Library, store: BatchStore) -> None:
        self._library = library
        self._store = store

    @activity.defn(name="due")
    async def due(self, planned: Planned) -> Due:
        """The request, after the stages that every other one passes. Fails, of type `InputError`, if it cannot run."""
        request = planned.fired(activity.info().workflow_id or "")
        try:
            job = await asyncio.to_thread(accepted, self._library, request, planned.context)
        except InputError as error:
            raise _refused(error) from None
        return Due(job=job, run=run_id(request, job.context.tenant))

    @activity.defn(name="due_batch")
    async def due_batch(self, planned: PlannedBatch) -> DueBatch:
        """The same for a batch, whose items are kept then. It may be tried again."""
        id = planned.fired(activity.info().workflow_id or "")
        batches = Batches(Door(activity.client(), self._library), self._store)
        try:
            terms = await batches.due(planned.context.tenant, planned.items, id)
        except InputError as error:
            raise _refused(error) from None
        return DueBatch(id=id, context=terms.context, at_provider=True if terms.at_provider else None)


def _refused(error: InputError) -> ApplicationError:
    return ApplicationError(str(error), type="InputError", non_retryable=True)
