"""What goes into a provider's batch, and what comes of each of its requests."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from temporalio import activity

from continuo.activities.admission import Admitted
from continuo.activities.filling import filled_in
from continuo.activities.outcomes import accounted, answered, embedded
from continuo.activities.records import recorded
from continuo.config.catalog import Catalog, Model, Provider
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.messages import ModelRequest, Usage
from continuo.operations.batches import Ended, Item, Terms
from continuo.patterns import Call
from continuo.protection.reservation import capped, likely_tokens, most_usage, most_usd
from continuo.providers.batches import BatchProtocol, Result
from continuo.providers.client import all_embedded, askable, completed, content_of
from continuo.providers.embeddings import EmbeddingProtocol
from continuo.providers.errors import naming, reading
from continuo.providers.protocol import Json, WireProtocol, wire_protocol
from continuo.stores.ledger import Paid, Settlement

NOTHING = CallRecord(path="", model="", status="lost", error="sent, and never answered", cost_usd=0.0)


@dataclass(frozen=True)
class Part:
    """One item, ready to be sent: its number, its line, the headers that it needs, what it may cost at most.

    `counts` says for how many requests it is counted where a batch is full; see `BatchProtocol`.
    """

    number: int
    line: bytes
    counts: int
    headers: Mapping[str, str]
    unanswered: CallRecord


@dataclass(frozen=True)
class Place:
    """Who answers the items of a batch, and at which address. `limited` says that a budget is to be kept."""

    terms: Terms
    catalog: Catalog
    model: Model
    url: str
    limited: bool

    @property
    def step(self) -> Call:
        assert isinstance(self.terms.step, Call)
        return self.terms.step

    @property
    def provider(self) -> Provider:
        return self.catalog.providers[self.model.provider]

    @cached_property
    def wire(self) -> WireProtocol:
        return wire_protocol(self.provider.protocol)

    @property
    def embeddings(self) -> EmbeddingProtocol | None:
        """How the model embeds, where it does."""
        return self.wire.embeddings if self.model.embeds else None

    @property
    def batches(self) -> BatchProtocol:
        batches = self.wire.batches if self.embeddings is None else self.wire.embedding_batches
        assert batches is not None, "a batch at a provider without batches is refused at the door"
        return batches

    def request(self, job: Job) -> ModelRequest:
        """As it is sent. Raises `ProviderError` where the model cannot answer it."""
        request = filled_in(self.step, job.request, self.catalog, None, self.model)
        return capped(request) if self.limited else request

    def part(self, token: str, item: Item, media: Mapping[str, bytes]) -> Part:
        """Raises as `request` does."""
        request, model, counts = self.request(item.job(self.terms)), self.model, 1
        if self.embeddings is None:
            wire = self.wire.encode(self.url, model.name, askable(request, model), stream=False, media=media)
        else:
            wire, counts = self.embeddings.encode(self.url, model.name, request), len(request.messages)
        line = self.batches.line(f"{token}-{item.number}", content_of(model.provider, wire.body))
        most = capped(request)
        cost = round(most_usd(model, most) * self._share, 9) if model.price else None
        record = CallRecord(path="", model=model.id, status="lost", usage=most_usage(most), cost_usd=cost)
        return Part(item.number, line, counts, wire.headers, record)

    def end(self, item: Item, result: Result, token: str, *, simulated: bool, today: date) -> tuple[Ended, Settlement]:
        """How the item has ended, and what that cost."""
        job, model, began = item.job(self.terms), self.model, time.monotonic()
        try:
            request = self.request(job)
        except ProviderError:
            # The catalog was another one when it was sent: no reason to lose an answer that is paid.
            request = job.request
        unanswered = NOTHING.model_copy(update={"model": model.id, "provider": model.provider})
        identity, tokens = f"{token}/{item.number}", likely_tokens(request)
        admitted = Admitted(self.catalog, identity, 1, model, request, time.time(), 0.0, tokens, unanswered)
        try:
            with naming(model.provider), reading():
                if result.error is not None:
                    raise result.error
                response = self._response(result.body or {}, admitted, simulated)
        except ProviderError as error:
            record = self._record(recorded(job, admitted, began, None, error=error))
            failure = Failure(type=error.kind, message=str(error), calls=(record,))
            return Ended(number=item.number, failure=failure), self._settlement(admitted, job, record, today, simulated)
        record = self._record(recorded(job, admitted, began, None, usage=response.usage))
        outcome = accounted(admitted, response, record)
        info = activity.info()
        outcome = outcome.model_copy(update={"workflow_id": info.workflow_id, "run_id": info.workflow_run_id})
        settlement = self._settlement(admitted, job, record, today, simulated)
        return (
            Ended(number=item.number, outcome=outcome),
            settlement.model_copy(update={"outcome": outcome}),
        )

    def _response(self, body: Json, admitted: Admitted, simulated: bool) -> Outcome:
        if self.embeddings is None:
            return answered(admitted, completed(self.wire.decode(body), admitted.request, simulated))
        return embedded(all_embedded(self.embeddings.decode(body), admitted.request, simulated))

    def _settlement(self, admitted: Admitted, job: Job, record: CallRecord, today: date, simulated: bool) -> Settlement:
        used = record.status == "ok" or record.usage != Usage()
        paid = Paid(record=record, context=job.context, simulated=simulated) if used else None
        return Settlement(
            identity=admitted.identity, attempt=1, today=today, paid=paid, run=activity.info().workflow_id
        )

    def _record(self, record: CallRecord) -> CallRecord:
        """The record at the price of batches. How long the answer took nobody knows."""
        cost = None if record.cost_usd is None else round(record.cost_usd * self._share, 9)
        return record.model_copy(update={"cost_usd": cost, "latency_ms": None})

    @property
    def _share(self) -> float:
        """Of the model's price. Where batches are taken out of the catalog meanwhile, those under way go on."""
        return 1.0 if self.provider.batch_price is None else self.provider.batch_price


def together(parts: list[Part], model: Model) -> CallRecord:
    """What a batch is booked as that is sent and never answered."""
    costs = [part.unanswered.cost_usd for part in parts]
    known = [cost for cost in costs if cost is not None]
    return NOTHING.model_copy(
        update={
            "model": model.id,
            "provider": model.provider,
            "count": len(parts),
            "usage": sum((part.unanswered.usage for part in parts), Usage()),
            "cost_usd": round(sum(known), 9) if len(known) == len(costs) else None,
        }
    )


def scaled(record: CallRecord, share: float) -> CallRecord:
    """The part of such a record that is of a `share` of its items."""
    usage = record.usage.model_copy(
        update={
            "input_tokens": round(record.usage.input_tokens * share),
            "output_tokens": round(record.usage.output_tokens * share),
        }
    )
    cost = None if record.cost_usd is None else round(record.cost_usd * share, 9)
    return record.model_copy(update={"usage": usage, "cost_usd": cost, "count": max(1, round(record.count * share))})
