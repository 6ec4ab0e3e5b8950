"""Batches at the door: each item passes the stages as a run's request does, and then one workflow begins them all."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import is_cancelled_exception
from temporalio.service import RPCError, RPCStatusCode

from continuo.decided import noted
from continuo.door.attacks import attacks
from continuo.door.provider_batches import check_at_provider, check_item
from continuo.door.request import Line
from continuo.door.rules import answer_of, by_rule
from continuo.door.stages import accepted, afresh
from continuo.door.submit import Door
from continuo.errors import InputError, RefusedByGuardrails, RefusedByRule
from continuo.guardrails.private import Private
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Job
from continuo.operations.batches import TYPE, BatchRow, Ended, Item, ItemState, Position, Tally, Terms, workflow_id
from continuo.operations.provider_batches import TYPE as PROVIDER_TYPE
from continuo.stores.batches import BatchStore, Taken
from continuo.stores.vault import Vault
from continuo.temporal.attributes import PRIORITY, TENANT
from continuo.temporal.failures import failure_of

TOGETHER = 200
"""Items that are checked, and kept, at once."""

ASKING = 8
"""Items of which a classifier is asked at once."""


class Batches:
    def __init__(self, door: Door, store: BatchStore) -> None:
        self._door = door
        self._store = store

    @cached_property
    def vault(self) -> Vault:
        """What the placeholders of batches stand for, by their ids."""
        return Vault(self._store.database, self._door.withholding.key.cipher)

    async def submit(
        self,
        id: str,
        digest: str,
        terms: Terms,
        source: str,
        lines: Iterable[Line],
        private: Private | None = None,
        *,
        without_refused: bool = False,
    ) -> BatchRow:
        """Check every item and keep it, then begin; a batch that has this `id` goes on, and its items stay as they are.

        `digest` is that of the items, and `source` is where they are from. `private` knows their placeholders, where
        they have these already. `without_refused` leaves out what guardrails or a rule refuse: the batch has no item
        of that number. Nothing has begun, and nothing is kept, when
        `InputError` is raised: for an item that cannot run here, or a batch of this id that has other items.
        """
        tenant = terms.context.tenant
        await self._check_place(terms)
        batch = await self._store.get(tenant, id)
        if batch is not None and batch.digest != digest:
            raise InputError(f"--id {id}: batch {id!r} has other items or another pattern; give another id")
        if batch is None or batch.state == "loading":
            # What is there of it are the same items: perhaps another process is loading them right now.
            await self._store.create(tenant, id, digest, terms)
            if batch is not None:
                now = await self._store.terms(tenant, id)
                await self._store.note(tenant, id, terms.cancelled(now.cancelling))
            refused = list[InputError]() if without_refused else None
            await self._load(id, terms, source, lines, private, refused)
            return await self._begin(tenant, id)
        if batch.state == "done" or await self._runs(batch):
            return batch
        if terms.origin is None:
            return await self.resume(batch, terms)
        # Of an API: who repeats a request does not begin again what was cancelled.
        return batch if batch.ended else await self._begin(tenant, id)

    async def plan(
        self, id: str, digest: str, terms: Terms, source: str, lines: Iterable[Line], private: Private | None = None
    ) -> None:
        """Check every item and keep it, for a schedule. Nothing is kept when `InputError` is raised."""
        await self._check_place(terms)
        await self._store.create(terms.context.tenant, id, digest, terms)
        await self._load(id, terms, source, lines, private, planned=True)
        await self._store.put(terms.context.tenant, id, "planned")

    async def due(self, tenant: str, planned: str, id: str) -> Terms:
        """Keep a copy of the `planned` items as the batch `id`, by what its pattern is now; how it is to run.

        Raises `InputError` where an item cannot run any more, or the items are gone; nothing is kept then.
        """
        batch = await self._store.get(tenant, planned)
        if batch is None:
            raise InputError("the items of this schedule are kept no more; create it again, with --replace")
        terms = await self._store.terms(tenant, planned)
        known = await self._store.get(tenant, id)
        if known is not None and known.digest != batch.digest:
            raise InputError(f"batch {id!r} has other items; run the schedule again")
        if known is not None and known.state != "loading":
            # The time before was in the same second, and has been cancelled: this one goes on with it.
            await self._store.again(tenant, id, ("cancelled",))
            await self._store.put(tenant, id, "running", (await self._store.terms(tenant, id)).cancelled(None))
            return terms
        step = await asyncio.to_thread(self._door.library.step, terms.context.pattern)
        await self._store.drop(tenant, id)
        terms = terms.model_copy(update={"step": step})
        await self._check_place(terms)
        await self._store.create(tenant, id, batch.digest, terms)
        try:
            async for items in self._as_now(terms, planned):
                await self._keep(terms, id, items)
            await self.vault.keep(tenant, id, await self.vault.values(tenant, planned), time.time())
        except InputError:
            await self._store.drop(tenant, id)
            raise
        # Before it runs, which may be a short time.
        await self._store.put(tenant, id, "running")
        return terms

    async def restoring(self, batch: BatchRow) -> Restoring:
        """What its results are shown by to whoever it is for."""
        return Restoring(await self.vault.values(batch.tenant, batch.id))

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
        if batch.state == "planned":
            raise InputError(f"batch {batch.id} has the items of a schedule; run them with: continuo schedule trigger")
        if await self._runs(batch):
            raise InputError(f"batch {batch.id} is running; stop it first: continuo batch cancel {batch.id}")
        known = terms or await self._store.terms(batch.tenant, batch.id)
        if known.at_provider is None and await self._store.is_at_provider(batch.tenant, batch.id):
            raise InputError(f"batch {batch.id} is at its provider still; go on with: continuo batch resume {batch.id}")
        await self._store.put(batch.tenant, batch.id, batch.state, known.cancelled(None))
        await self._store.again(batch.tenant, batch.id, states)
        return await self._begin(batch.tenant, batch.id)

    async def _check_place(self, terms: Terms) -> None:
        if terms.at_provider is not None:
            await asyncio.to_thread(check_at_provider, self._door.library, terms)

    async def _runs(self, batch: BatchRow) -> bool:
        try:
            return (await self._handle(batch).describe()).close_time is None
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False

    async def _load(
        self,
        id: str,
        terms: Terms,
        source: str,
        lines: Iterable[Line],
        private: Private | None = None,
        refused: list[InputError] | None = None,
        *,
        planned: bool = False,
    ) -> None:
        """With a list of what is `refused`, that is put there and the rest is kept."""
        context = terms.context
        try:
            await self._add(id, terms, source, lines, private, refused, planned=planned)
        except InputError as error:
            await self._store.drop(context.tenant, id)
            if isinstance(cause := error.__cause__, InputError):
                await self._door.refused(cause, context, context.pattern)
            raise
        for one in refused or ():
            await self._door.refused(one, context, context.pattern)

    async def _as_now(self, terms: Terms, planned: str) -> AsyncIterator[list[Item]]:
        """The planned items, after the stages that they passed when they were planned."""
        page = await self._store.page(terms.context.tenant, planned, 0, TOGETHER)
        while page.items:
            yield await asyncio.to_thread(lambda: [self._checked(item, terms) for item in page.items])  # noqa: B023
            page = await self._store.page(terms.context.tenant, planned, page.items[-1].number, TOGETHER)

    def _checked(self, item: Item, terms: Terms) -> Item:
        try:
            job = afresh(self._door.library, item.job(terms), item.named or terms.context.pattern)
            check_item(job, terms)
        except InputError as error:
            raise InputError(f"item {item.number}: {error}") from None
        own = {**_own(job, terms), "named": None}
        return item.model_copy(update={"request": job.request, "data": job.data, **own})

    async def _add(
        self,
        id: str,
        terms: Terms,
        source: str,
        lines: Iterable[Line],
        private: Private | None,
        refused: list[InputError] | None,
        *,
        planned: bool,
    ) -> None:
        own, tenant, kept, seen = private, terms.context.tenant, 0, dict[int, int]()
        if own is None:
            own = await asyncio.to_thread(self._door.withholding.private, terms.context, terms.context.pattern)
        items = self._items(terms, source, lines, own, refused, withheld=private is not None, planned=planned)
        while page := await asyncio.to_thread(lambda: list(islice(items, TOGETHER))):
            if own.policy.classifier is not None:
                parts = [page[start : start + ASKING] for start in range(0, len(page), ASKING)]
                page = [one for part in parts for one in await self._judged(part, terms, source, own, refused)]
            seen = {item.number: line for line, item in page}
            if own.policy.restore:
                new = dict(islice(own.values.items(), kept, None))
                await self.vault.keep(tenant, id, new, time.time())
                kept += len(new)
            try:
                await self._keep(terms, id, [item for _, item in page], planned=planned)
            except Taken as error:
                what = f"id {error.item.own!r} is that of item {error.number}"
                raise InputError(f"{source}:{seen[error.item.number]}: {what}; give each item one of its own") from None
        if not (seen or refused):
            raise InputError(f"{source} has no items; write one a line")

    def _items(
        self,
        terms: Terms,
        source: str,
        lines: Iterable[Line],
        private: Private,
        refused: list[InputError] | None,
        *,
        withheld: bool,
        planned: bool,
    ) -> Iterator[tuple[int, Item]]:
        for number, (line, request, echo) in enumerate(lines, 1):
            try:
                private.counts.clear()
                if not withheld:
                    request = self._door.withholding.withheld(request, terms.context, private).request
                decided = [private.decision]
                decided.append(attacks(private.policy, request.turns, request.data))
                job = accepted(self._door.library, request, terms.context)
                check_item(job, terms)
            except InputError as error:
                _refuse(error, f"{source}:{line}", refused)
                continue
            own = {**_own(job, terms), "decisions": noted(*decided, by_rule(job))}
            if planned and request.pattern_name != terms.context.pattern:
                own["named"] = request.pattern_name
            yield line, Item(number=number, own=request.id, request=job.request, data=job.data, echo=echo, **own)

    async def _judged(
        self,
        page: Sequence[tuple[int, Item]],
        terms: Terms,
        source: str,
        private: Private,
        refused: list[InputError] | None,
    ) -> Sequence[tuple[int, Item]]:
        """The same with the classifier's decisions on them."""

        async def one(line: int, item: Item) -> tuple[int, Item] | None:
            if answer_of(item.job(terms)) is not None:
                return line, item
            try:
                known = await self._door.second.on(private.policy, terms.context, item.request.messages, item.data)
            except InputError as error:
                _refuse(error, f"{source}:{line}", refused)
                return None
            return line, item.model_copy(update={"decisions": (*item.decisions, *noted(known))})

        return [judged for judged in await asyncio.gather(*(one(*each) for each in page)) if judged is not None]

    async def _keep(self, terms: Terms, id: str, items: Sequence[Item], *, planned: bool = False) -> None:
        """Keep items that wait. What a rule has answered has ended, unless it is `planned`."""
        await self._store.add(terms.context.tenant, id, items)
        answers = [(item.number, answer_of(item.job(terms))) for item in items if item.rule and not planned]
        ends = [Ended(number=number, outcome=outcome) for number, outcome in answers if outcome is not None]
        if ends:
            await self._store.end(terms.context.tenant, id, ends)

    async def _begin(self, tenant: str, id: str) -> BatchRow:
        terms = await self._store.terms(tenant, id)
        if terms.cancelling:
            await self._store.put(tenant, id, "stopped")
            return await self._kept(tenant, id)
        context = terms.context
        # Before it runs, which may be a short time.
        await self._store.put(tenant, id, "running")
        await self._door.client.start_workflow(
            TYPE if terms.at_provider is None else PROVIDER_TYPE,
            Position(tenant=tenant, id=id),
            id=workflow_id(tenant, id),
            task_queue=context.priority,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(TENANT, tenant), SearchAttributePair(PRIORITY, context.priority)]
            ),
            static_summary=f"{context.pattern} for {tenant}",
            priority=Priority(fairness_key=tenant, fairness_weight=self._door.weight_of(context)),
        )
        batch = await self._kept(tenant, id)
        # Meanwhile there was nothing yet to stop.
        if (await self._store.terms(tenant, id)).cancelling:
            await self.stop(batch)
        return batch

    async def _kept(self, tenant: str, id: str) -> BatchRow:
        batch = await self._store.get(tenant, id)
        assert batch is not None
        return batch

    def _handle(self, batch: BatchRow) -> WorkflowHandle[Any, Tally]:
        return self._door.client.get_workflow_handle(workflow_id(batch.tenant, batch.id), result_type=Tally)


def _refuse(error: InputError, where: str, refused: list[InputError] | None) -> None:
    """Put it to what is refused, if that is wanted and it is a refusal; else raise it, with where it is."""
    if refused is None or not isinstance(error, RefusedByGuardrails | RefusedByRule):
        raise InputError(f"{where}: {error}") from error
    refused.append(error)


def _own(job: Job, terms: Terms) -> dict[str, Any]:
    """What an item that does this job has of its own."""
    if job.step == terms.step and job.rule is None:
        return {"step": None, "pattern": None, "priority": None, "rule": None}
    context, priority = job.context, job.context.priority
    own = None if priority == terms.context.priority else priority
    return {"step": job.step, "pattern": context.pattern, "priority": own, "rule": job.rule}
