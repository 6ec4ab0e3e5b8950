"""Batches at the door: each item passes the stages as a run's request does, and then one workflow begins them all."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import is_cancelled_exception
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.request import Request
from continuo.door.stages import accepted
from continuo.door.submit import Door
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.operations.batches import TYPE, BatchRow, Item, ItemState, Position, Tally, Terms, workflow_id
from continuo.stores.batches import BatchStore, Taken
from continuo.temporal.attributes import PRIORITY, TENANT
from continuo.temporal.failures import failure_of

TOGETHER = 200
"""Items that are checked, and kept, at once."""

Line = tuple[int, Request]
"""The request of an item, with the number of the line that it is from."""


class Batches:
    def __init__(self, door: Door, store: BatchStore) -> None:
        self._door = door
        self._store = store

    async def submit(self, id: str, digest: str, terms: Terms, source: str, lines: Iterable[Line]) -> BatchRow:
        """Check every item and keep it, then begin; a batch that has this `id` goes on, and its items stay as they are.

        `digest` is that of the items, and `source` is where they are from. Nothing has begun, and nothing is kept, when
        `InputError` is raised: for an item that cannot run here, or a batch of this id that has other items.
        """
        tenant = terms.context.tenant
        batch = await self._store.get(tenant, id)
        if batch is not None and batch.digest != digest:
            raise InputError(f"--id {id}: batch {id!r} has other items or another pattern; give another id")
        if batch is None or batch.state == "loading":
            await self._store.drop(tenant, id)
            await self._store.create(tenant, id, digest, terms)
            try:
                await self._load(id, terms.context, source, lines)
            except InputError:
                await self._store.drop(tenant, id)
                raise
            return await self._begin(tenant, id)
        if batch.state == "done" or await self._runs(batch):
            return batch
        return await self.resume(batch, terms)

    async def resume(self, batch: BatchRow, terms: Terms | None = None) -> BatchRow:
        """Go on with what has not ended, or was cancelled; by other `terms`, if some are given."""
        return await self._again(batch, ("cancelled",), terms)

    async def rerun_failed(self, batch: BatchRow) -> BatchRow:
        """Run again what has failed, and go on with what has not ended."""
        return await self._again(batch, ("cancelled", "failed"), None)

    async def stop(self, batch: BatchRow, *, now: bool = False) -> bool:
        """Begin no more items; with `now` cancel those under way. False where the batch does not run."""
        handle = self._handle(batch)
        try:
            await (handle.cancel() if now else handle.signal("stop"))
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def end(self, batch: BatchRow) -> BatchRow:
        """Wait for it, however it ends, and say how that was."""
        try:
            await self._handle(batch).result()
        except WorkflowFailureError as error:
            if not is_cancelled_exception(error.cause):
                raise InputError(
                    f"batch {batch.id}: {failure_of(error.cause).message}; continuo batch resume"
                ) from None
        return await self._store.get(batch.tenant, batch.id) or batch

    async def _again(self, batch: BatchRow, states: tuple[ItemState, ...], terms: Terms | None) -> BatchRow:
        if await self._runs(batch):
            raise InputError(f"batch {batch.id} is running; stop it first: continuo batch cancel {batch.id}")
        await self._store.put(batch.tenant, batch.id, batch.state, terms)
        await self._store.again(batch.tenant, batch.id, states)
        return await self._begin(batch.tenant, batch.id)

    async def _runs(self, batch: BatchRow) -> bool:
        try:
            return (await self._handle(batch).describe()).close_time is None
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False

    async def _load(self, id: str, context: Context, source: str, lines: Iterable[Line]) -> None:
        items, seen = self._items(context, source, lines), dict[int, int]()
        while page := await asyncio.to_thread(lambda: list(islice(items, TOGETHER))):
            seen = {item.number: line for line, item in page}
            try:
                await self._store.add(context.tenant, id, [item for _, item in page])
            except Taken as error:
                what = f"id {error.item.own!r} is that of item {error.number}"
                raise InputError(f"{source}:{seen[error.item.number]}: {what}; give each item one of its own") from None
        if not seen:
            raise InputError(f"{source} has no items; write one a line")

    def _items(self, context: Context, source: str, lines: Iterable[Line]) -> Iterator[tuple[int, Item]]:
        for number, (line, request) in enumerate(lines, 1):
            try:
                job = accepted(self._door.library, request, context)
            except InputError as error:
                raise InputError(f"{source}:{line}: {error}") from None
            yield line, Item(number=number, own=request.id, request=job.request, data=job.data)

    async def _begin(self, tenant: str, id: str) -> BatchRow:
        context = (await self._store.terms(tenant, id)).context
        weight = (context.key and context.key.weight) or self._door.library.tenants.of(tenant).weight
        # Before it runs, which may be a short time.
        await self._store.put(tenant, id, "running")
        await self._door.client.start_workflow(
            TYPE,
            Position(tenant=tenant, id=id),
            id=workflow_id(tenant, id),
            task_queue=context.priority,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(TENANT, tenant), SearchAttributePair(PRIORITY, context.priority)]
            ),
            static_summary=f"{context.pattern} for {tenant}",
            priority=Priority(fairness_key=tenant, fairness_weight=weight),
        )
        batch = await self._store.get(tenant, id)
        assert batch is not None
        return batch

    def _handle(self, batch: BatchRow) -> WorkflowHandle[Any, Tally]:
        return self._door.client.get_workflow_handle(workflow_id(batch.tenant, batch.id), result_type=Tally)
