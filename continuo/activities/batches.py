"""What a batch's workflow reads of its items, and keeps of their ends: local activities, each a quick one."""

from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.decisions.off_peak import OffPeak
from continuo.door.runs import Run, result
from continuo.jobs import Failure, Outcome
from continuo.operations.batches import BatchState, Begun, Ended, Looked, Page, Position, Tally, Window, run_id
from continuo.stores.batches import BatchStore


class Batches:
    def __init__(self, store: BatchStore) -> None:
        self._store = store

    @activity.defn(name="batch_begin")
    async def begin(self, batch: Position) -> Begun:
        """Its terms and how it stands. Fails for good, of type `NoBatch`, where it is not kept any more."""
        begun = await self._store.begin(batch.tenant, batch.id)
        if begun is None:
            message = f"batch {batch.id} of tenant {batch.tenant} is not kept any more"
            raise ApplicationError(message, type="NoBatch", non_retryable=True)
        return begun

    @activity.defn(name="batch_step")
    async def step(self, batch: Position, ends: tuple[Ended, ...], wanted: int) -> Page:
        """Keep how items have ended, then read `wanted` more that wait behind the position."""
        if ends:
            await self._store.end(batch.tenant, batch.id, ends)
        return await self._store.page(batch.tenant, batch.id, batch.after, wanted) if wanted else Page()

    @activity.defn(name="batch_window")
    async def window(self, off_peak: OffPeak, now: datetime) -> Window:
        """Here and not in the workflow, since the rules of a zone may change while it runs."""
        opens, closes = off_peak.window(now)
        return Window(opens=opens, closes=closes)

    @activity.defn(name="batch_look")
    async def look(self, batch: Position) -> Looked:
        """What became of the items that are `open`. The ends of those that have ended are kept."""
        ends, unknown = list[Ended](), list[int]()
        for number in batch.open:
            handle = activity.client().get_workflow_handle(run_id(batch.tenant, batch.id, number), result_type=Outcome)
            state = await Run(handle).state()
            if state == "unknown":
                unknown.append(number)
            elif state == "ended":
                end = await result(handle)
                failure = end if isinstance(end, Failure) else None
                ends.append(Ended(number=number, outcome=None if isinstance(end, Failure) else end, failure=failure))
        await self._store.end(batch.tenant, batch.id, ends)
        tally = sum((end.counted() for end in ends), start=Tally())
        return Looked(ended=tuple(end.number for end in ends), unknown=tuple(unknown), tally=tally)

    @activity.defn(name="batch_close")
    async def close(self, batch: Position, state: BatchState) -> None:
        await self._store.put(batch.tenant, batch.id, state)
