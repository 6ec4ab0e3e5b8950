"""What a batch at a provider asks of the world: its items are sent, looked after, taken back and cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from uuid import uuid4

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.activities.admission import Admission
from continuo.activities.batches import Batches
from continuo.activities.media import media_of
from continuo.activities.provider_parts import Part, Place, scaled, together
from continuo.apart import apart
from continuo.authoring.library import Library
from continuo.errors import ProviderError
from continuo.jobs import Failure
from continuo.operations.batches import Begun, Ended, Item, Position
from continuo.operations.provider_batches import OVERDUE, Closed, Closing, Look, Looked, Sending, Sent
from continuo.patterns import Call
from continuo.providers.batch_client import ProviderHttp
from continuo.providers.batches import Result, Submitted
from continuo.providers.client import ModelClient
from continuo.stores.batches import BatchStore
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from continuo.stores.payloads import Payloads
from continuo.stores.provider_batches import SentBatches

log = structlog.get_logger()

TOGETHER = 100
"""Items that are read, or kept, at once."""

EMBEDDED_TOGETHER = 10
"""Items that are kept at once where each may be the vectors of thousands of texts."""

SKEW = 120.0
"""Seconds by which a provider's clock may be behind ours."""

KEPT = 86400.0
"""Seconds behind the time at which a batch expires, for which its money stays reserved."""


class ProviderBatches:
    def __init__(
        self,
        library: Library,
        client: ModelClient,
        batches: Batches,
        store: BatchStore,
        sent: SentBatches,
        admission: Admission,
        journal: Journal,
        payloads: Payloads,
    ) -> None:
        self._library = library
        self._client = client
        self._batches = batches
        self._store = store
        self._sent = sent
        self._admission = admission
        self._journal = journal
        self._payloads = payloads

    @activity.defn(name="provider_batch_send")
    async def send(self, batch: Position) -> Sending:
        """Send as many of the items that wait behind the position as one of the provider's batches takes.

        It is noted first. Where an earlier attempt has died, or got no answer, it is looked for in the provider's list,
        and sent only if it is not there.
        """
        begun = await self._batches.begin(batch)
        place = await self._place(begun)
        for sent in await self._sent.under_way(batch.tenant, batch.id):
            if sent.remote is None and await self._find_remote(place, sent):
                return Sending(after=sent.last, last=False)
        token = uuid4().hex
        parts, after, last, money = await self._packed(batch, begun, place, token)
        if parts:
            return await self._submitted(batch, place, token, parts, Sending(after=after, last=last, money=money))
        return Sending(after=after, last=last, money=money)

    @activity.defn(name="provider_batch_look")
    async def look(self, batch: Position) -> Looked:
        """How those stand that are under way; one is left out that turns out not to have been taken."""
        begun, seen = await self._batches.begin(batch), list[Look]()
        place = await self._place(begun)
        for sent in await self._sent.under_way(batch.tenant, batch.id):
            try:
                remote = sent.remote or await self._find_remote(place, sent)
                if remote is None:
                    continue
                stands = await place.batches.look(self._http(place, sent.token), remote)
                look = Look(token=sent.token, state=stands.state, why=stands.why)
            except ProviderError as error:
                gone = error.kind == "not_found"
                look = Look(token=sent.token, state="missing" if gone else "unknown", why=str(error))
            late = look.state in ("running", "unknown")
            if late and time.time() > sent.created + place.batches.expires + OVERDUE:
                look = look.model_copy(update={"state": "overdue"})
            seen.append(look)
        return Looked(batches=tuple(seen), tally=begun.tally)

    @activity.defn(name="provider_batch_close")
    async def close(self, batch: Position, closing: Closing) -> Closed:
        """Keep what one came to: each answer once, however often this is tried. What it left unanswered goes on
        waiting, unless the whole of it failed."""
        every = {sent.token: sent for sent in await self._sent.under_way(batch.tenant, batch.id)}
        if (sent := every.get(closing.token)) is not None:
            place, how = await self._place(await self._batches.begin(batch)), closing.how
            if how == "ended":
                try:
                    await self._take(batch, place, sent)
                except ProviderError as error:
                    if error.kind != "not_found":
                        raise ApplicationError(str(error), type=error.kind) from error
                    log.warning("the results of a provider's batch are gone", batch=sent.remote)
                    how = "lost"
            elif how == "failed":
                numbers = await self._store.waiting(batch.tenant, batch.id, sent.first, sent.last)
                await self._fail(batch, numbers, ProviderError("invalid_request", f"{sent.provider}: {closing.why}"))
            await self._settle(batch, place, sent, lost=how == "lost")
        return Closed(tally=(await self._batches.begin(batch)).tally)

    @activity.defn(name="provider_batch_cancel")
    async def cancel(self, batch: Position) -> None:
        """Ask the provider to end those that are under way."""
        place = await self._place(await self._batches.begin(batch))
        for sent in await self._sent.under_way(batch.tenant, batch.id):
            if sent.remote is not None:
                try:
                    await place.batches.cancel(self._http(place, sent.token), sent.remote)
                except ProviderError as error:
                    if error.retryable:
                        raise ApplicationError(str(error), type=error.kind) from error
                    # It has ended, or is gone: a look will tell.
                    log.info("a provider's batch was not cancelled", batch=sent.remote, error=str(error))

    async def _place(self, begun: Begun) -> Place:
        terms, step = begun.terms, begun.terms.step
        assert isinstance(step, Call)
        catalog = await self._library.catalog_with(model=step.model)
        if (model := catalog.models.get(step.model)) is None:
            what = f"this worker's catalog has no model {step.model!r}; give all workers the same catalog"
            raise ApplicationError(what, type="not_found")
        limited = terms.budget_usd is not None or await self._admission.limited(terms.context)
        url = catalog.providers[model.provider].url(self._library.environ) or ""
        return Place(terms, catalog, model, url, limited)

    def _http(self, place: Place, key: str, headers: dict[str, str] | None = None) -> ProviderHttp:
        return ProviderHttp(self._client.of(place.catalog), place.model.provider, key, headers)

    async def _find_remote(self, place: Place, sent: Sent) -> str | None:
        """The provider's id of one whose submission got no answer; None where it was not taken, and it is forgotten.
        Raises `ProviderError`."""
        since = sent.created - SKEW
        known = await self._sent.known(since - KEPT)
        submitted = Submitted(sent.token, sent.items, since, known)
        remote = await place.batches.find(self._http(place, sent.token), submitted)
        if remote is None:
            await self._forget(place, sent)
        else:
            log.info("a provider's batch was found again", batch=remote)
            await self._sent.taken(sent.token, remote)
        return remote

    async def _packed(
        self, batch: Position, begun: Begun, place: Place, token: str
    ) -> tuple[list[Part], int, bool, bool]:
        """The items of one batch; the number up to which they were looked at, whether that is the last one, and whether
        there is money for what follows."""
        parts, size, counted, after, left = list[Part](), 0, 0, batch.after, begun.terms.budget_usd
        if left is not None:
            left -= begun.tally.cost_usd + await self._sent.usd(batch.tenant, batch.id)
        async for item in self._waiting(batch):
            try:
                media = await media_of(item.request, self._payloads)
                # Large media in base64 take long.
                part = await apart(sum(map(len, media.values())), partial(place.part, token, item, media))
            except ProviderError as error:
                if error.retryable:
                    raise ApplicationError(str(error), type=error.kind) from error
                await self._fail(batch, [item.number], error)
                after = item.number
                continue
            cost = part.unanswered.cost_usd or 0.0
            if left is not None and cost > left:
                return parts, after, False, False
            size, counted = size + len(part.line) + 2, counted + part.counts
            if parts and (size > place.batches.most_bytes or counted > place.batches.most_items):
                return parts, after, False, True
            left = None if left is None else left - cost
            parts.append(part)
            after = item.number
        return parts, after, True, True

    async def _waiting(self, batch: Position) -> AsyncIterator[Item]:
        after, last = batch.after, False
        while not last:
            page = await self._store.page(batch.tenant, batch.id, after, TOGETHER)
            for item in page.items:
                yield item
                after = item.number
            last = page.last

    async def _submitted(self, batch: Position, place: Place, token: str, parts: list[Part], whole: Sending) -> Sending:
        """What was sent, if that is all `parts`, is `whole`."""
        model, every, sending = place.model, parts, whole
        while True:
            sent = Sent(
                token=token,
                provider=model.provider,
                model=model.id,
                first=parts[0].number,
                last=parts[-1].number,
                items=len(parts),
                created=time.time(),
                unanswered=together(parts, model),
            )
            await self._sent.intend(batch.tenant, batch.id, sent)
            try:
                await self._set_aside(place, sent)
                break
            except ProviderError as error:
                if error.kind == "budget_spent" and len(parts) > 1:
                    # As many as there is money for: what they may cost is far more than what they will.
                    parts = parts[: len(parts) // 2]
                    sending = Sending(after=parts[-1].number, last=False)
                    continue
                await self._forget(place, sent)
                if error.retryable:
                    raise ApplicationError(str(error), type=error.kind) from error
                if error.kind == "budget_spent" and await self._sent.under_way(batch.tenant, batch.id):
                    # What is under way may leave some of its money.
                    return Sending(after=parts[0].number - 1, last=False, money=False)
                await self._fail(batch, [part.number for part in every], error)
                return whole
        try:
            remote = await place.batches.submit(
                self._http(place, token, _headers(parts)), model.name, [part.line for part in parts], token
            )
        except ProviderError as error:
            if error.retryable:
                # It may have been taken: the next attempt looks for it.
                pause = timedelta(seconds=error.retry_after) if error.retry_after else None
                raise ApplicationError(str(error), type=error.kind, next_retry_delay=pause) from error
            await self._forget(place, sent)
            await self._fail(batch, [part.number for part in parts], error)
            return sending
        await self._sent.taken(token, remote)
        log.info("a batch was sent to its provider", batch=remote, provider=model.provider, items=len(parts))
        return sending

    async def _set_aside(self, place: Place, sent: Sent) -> None:
        model, context = place.model, place.terms.context
        paid = Paid(record=sent.unanswered, context=context, simulated=place.provider.simulated)
        expires = sent.created + place.batches.expires + OVERDUE + KEPT
        what = f"a batch of {sent.items:,}"
        await self._admission.set_aside(model, paid, sent.token, 1, now=sent.created, expires=expires, what=what)

    async def _forget(self, place: Place, sent: Sent) -> None:
        await self._release(place, sent, None)
        await self._sent.forget(sent.token)

    async def _fail(self, batch: Position, numbers: Sequence[int], error: ProviderError) -> None:
        failure = Failure(type=error.kind, message=str(error))
        for at in range(0, len(numbers), TOGETHER):
            ends = [Ended(number=number, failure=failure) for number in numbers[at : at + TOGETHER]]
            await self._store.end(batch.tenant, batch.id, ends)

    async def _take(self, batch: Position, place: Place, sent: Sent) -> None:
        """Keep what there is of its results, with what each cost. Raises `ProviderError`."""
        http, results = self._http(place, sent.token), dict[int, Result]()
        most = TOGETHER if place.embeddings is None else EMBEDDED_TOGETHER
        assert sent.remote is not None, "what has ended is known"
        async with aclosing(place.batches.results(http, sent.remote)) as every:
            async for result in every:
                if (number := _number(result.id, sent)) is not None:
                    results[number] = result
                if len(results) == most:
                    await self._keep(batch, place, sent, results, http.simulated)
                    results.clear()
        await self._keep(batch, place, sent, results, http.simulated)

    async def _keep(
        self, batch: Position, place: Place, sent: Sent, results: dict[int, Result], simulated: bool
    ) -> None:
        items = await self._store.items(batch.tenant, batch.id, [*results]) if results else []
        today = await self._admission.today(batch.tenant)
        end = partial(place.end, token=sent.token, simulated=simulated, today=today)
        # Many vectors take long.
        kept = await asyncio.to_thread(lambda: [end(item, results[item.number]) for item in items])
        await self._store.end(batch.tenant, batch.id, [end for end, _ in kept], [settlement for _, settlement in kept])

    async def _settle(self, batch: Position, place: Place, sent: Sent, *, lost: bool) -> None:
        """Give back what was reserved for it; of one that is `lost` the part that was not taken is booked."""
        paid = None
        if lost and (waiting := await self._store.waiting(batch.tenant, batch.id, sent.first, sent.last)):
            record = scaled(sent.unanswered, len(waiting) / sent.items)
            paid = Paid(record=record, context=place.terms.context, simulated=place.provider.simulated)
        await self._release(place, sent, paid)
        await self._sent.end(sent.token, (paid.record.cost_usd if paid else None) or 0.0)

    async def _release(self, place: Place, sent: Sent, paid: Paid | None) -> None:
        today = await self._admission.today(place.terms.context.tenant)
        await self._journal.settle(Settlement(identity=sent.token, attempt=1, today=today, paid=paid))


def _headers(parts: Sequence[Part]) -> dict[str, str]:
    """What each of them needs, such as Anthropic's betas, once."""
    every: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, value in part.headers.items():
            every.setdefault(name, {}).update(dict.fromkeys(value.split(",")))
    return {name: ",".join(values) for name, values in every.items()}


def _number(id: str, sent: Sent) -> int | None:
    """The number of the item that a result is of; None for one that is not of this batch."""
    token, _, number = id.partition("-")
    return int(number) if token == sent.token and number.isdecimal() and len(number) < 10 else None
