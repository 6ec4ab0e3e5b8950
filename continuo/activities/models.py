"""The activity that calls a model: journal first, call second, record third."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any, TypedDict, Unpack

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.activities.admission import Admission, Admitted
from continuo.activities.breakers import Breakers
from continuo.activities.delivering import Delivery, begun, broken
from continuo.activities.errors import attempt_number, failed_attempts, give_up_or_retry, patiently, unless_broken
from continuo.activities.filling import filled_in
from continuo.activities.identity import identity, question, whole_run_id
from continuo.activities.media import media_of
from continuo.activities.micro_batches import MicroBatches, Refused
from continuo.activities.observed import Asking
from continuo.activities.outcomes import accounted, answered, embedded
from continuo.activities.records import left, record_of, recorded
from continuo.activities.settling import Settling
from continuo.activities.turns import whole
from continuo.activities.unexpected import reaching_out
from continuo.authoring.library import Library
from continuo.config.catalog import Model
from continuo.decisions.continuing import joined
from continuo.errors import ProviderError
from continuo.jobs import Account, CallRecord, Failure, Job, Outcome
from continuo.messages import Message, ModelRequest, ModelResponse, Usage
from continuo.operations.metrics import Meter
from continuo.patterns import Call
from continuo.protection.breaker import ill
from continuo.protection.rate_limits import Wait
from continuo.providers.client import ModelClient
from continuo.providers.embeddings import Embedding
from continuo.providers.exchange import Exchange
from continuo.providers.limited import at_most
from continuo.stores.database import Row
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement, call_of, in_all
from continuo.stores.payloads import Payloads
from continuo.stores.streams import StreamLog
from continuo.stores.turns import Turns
from continuo.temporal.activity_options import LOST_WORKERS, STORE_TIME

log = structlog.get_logger()

Ask = Callable[..., Coroutine[Any, Any, Outcome]]


PROBE_TIME = 5.0
"""Seconds within which a probe of one of several deployments may fail, and the same attempt still asks another one."""


class Sending(TypedDict):
    """How a request is sent, see `ModelClient`."""

    timeout: float
    idempotency_key: str
    exchange: Exchange


class ModelCalls:
    """Calls models through one pooled client, and keeps every answer and its cost."""

    def __init__(
        self,
        library: Library,
        client: ModelClient,
        journal: Journal,
        settling: Settling,
        admission: Admission,
        breakers: Breakers,
        payloads: Payloads,
        turns: Turns,
        streams: StreamLog,
        micro_batches: MicroBatches,
        meter: Meter,
    ) -> None:
        self._library = library
        self._client = client
        self._journal = journal
        self._settling = settling
        self._admission = admission
        self._breakers = breakers
        self._payloads = payloads
        self._turns = turns
        self._streams = streams
        self._micro_batches = micro_batches
        self._meter = meter

    @reaching_out
    @activity.defn(name="call")
    async def call(self, job: Job) -> Outcome | Wait:
        """Answer a job whose step is a `Call`; or, where a limit is used up, say when to ask again."""
        return await self._once(job, self._answer)

    @reaching_out
    @activity.defn(name="embed")
    async def embed(self, job: Job) -> Outcome | Wait:
        """Embed the prompt of a job whose step is a `Call`."""
        prompt = Message(role="user", content=job.request.prompt)
        return await self._once(job.model_copy(update={"request": ModelRequest(messages=(prompt,))}), self._embed)

    @activity.defn(name="account_of")
    async def account_of(self, job: Job, identity: str) -> Account:
        """What the attempts of a call came to that ended without a word: it was cancelled, or its worker died."""
        step = job.step
        assert isinstance(step, Call)
        await self._journal.close(identity)
        rows = await self._journal.attempts(identity, step.retry.attempts + LOST_WORKERS)
        record = CallRecord(path=job.path, model=step.model, status="cancelled")
        if rows:
            record = record.model_copy(update={"model": rows[-1]["model"], "provider": rows[-1]["provider"]})
        return Account(calls=(in_all(record, rows, answered=False),))

    @activity.defn(name="undone")
    async def undone(self, run_id: str, begun: list[str]) -> Account:
        """What the calls of a run came to that are not among those `begun`, which are activity ids.

        They were local activities of a task of the workflow that was undone, as by a cancellation that came while it
        lasted; what they cost was paid all the same.
        """
        known = {f"{run_id}/{id}" for id in begun}
        groups = groupby(await self._journal.of_run(run_id), call_of)
        return Account(calls=tuple(record_of(list(rows)) for identity, rows in groups if identity not in known))

    async def _once(self, job: Job, ask: Ask) -> Outcome | Wait:
        """What `ask` gives, journalled and paid; what an earlier attempt journalled is returned as it is."""
        key, step, started, given, digest = identity(), job.step, time.monotonic(), job, question(job)
        assert isinstance(step, Call)
        attempt, delivery = attempt_number(job.attempts), None
        admitting: Coroutine[Any, Any, Admitted | Wait]
        try:
            if (known := await patiently("the journal", partial(self._settling.find, key, digest))) is not None:
                return known
            attempt = await patiently("the journal", partial(self._number, key, job))
            if attempt > step.retry.attempts + LOST_WORKERS:
                await self._closed(key)
                raise ProviderError("internal_error", f"{attempt - 1} attempts have died with their workers, or failed")
            catalog = await self._library.catalog_with(model=step.model)
            if (wanted := catalog.models.get(step.model)) is None:
                what = f"this worker's catalog has no model {step.model!r}; give all workers the same catalog"
                raise ProviderError("not_found", what)
            # It may have retired since the run began.
            wanted = catalog.current(wanted.id)
            delivery = await self._delivery(job, key, attempt)
            job = job.model_copy(update={"request": await whole(job.request, self._turns)})
            fill, lease = partial(filled_in, step, job.request, catalog, delivery), lasts(step)
            if wanted.micro_batch and delivery is None:
                admitting = self._admission.gathered(catalog, job, wanted, fill(wanted), key, attempt, lease)
            else:
                admitting = self._admission.admit(catalog, job, wanted, fill, key, attempt, lease)
            admitted = await admitting
        except ProviderError as error:
            failure = broken(error, job) if delivery is not None and delivery.goes_on else error
            earlier = await self._earlier(key, attempt)
            record = CallRecord(
                path=job.path, model=step.model, attempts=attempt, status="failed", error=f"{failure.kind}: {failure}"
            )
            raise _failed(failure, job, in_all(record, earlier, answered=False)) from error
        outcome: Outcome | Wait | None = admitted if isinstance(admitted, Wait) else None
        if isinstance(admitted, Admitted):
            outcome = await self._admitted(job, admitted, ask, started, delivery, digest)
        if isinstance(outcome, Wait):
            # This one has asked nobody: the next one has its number.
            tried = {"attempts": attempt - 1, "failures": failed_attempts(job.failures)}
            return outcome.model_copy(update=tried)
        return await self._once(given, ask) if outcome is None else outcome

    async def _delivery(self, job: Job, key: str, attempt: int) -> Delivery | None:
        try:
            return await begun(self._streams, job, attempt)
        except ProviderError as error:
            if not error.retryable:
                # It ends here for good.
                await self._closed(key)
            raise

    async def _closed(self, key: str) -> None:
        """Book what is reserved still. Without the store that is done when its time is over, and the error is told."""
        await unless_broken("the ledger", self._journal.close(key))

    async def _number(self, key: str, job: Job) -> int:
        """The attempt's number. Temporal counts a local activity's anew where a worker died; the stores do not."""
        step, number = job.step, attempt_number(job.attempts)
        assert isinstance(step, Call)
        if not activity.info().is_local:
            return number
        return max(number, await self._journal.next_attempt(key, step.retry.attempts + LOST_WORKERS))

    async def _earlier(self, key: str, attempt: int) -> Sequence[Row]:
        """The rows of the attempts before this one, as far as the ledger can be read."""
        if attempt == 1:
            return ()
        return await unless_broken("the ledger", self._journal.attempts(key, attempt - 1)) or ()

    async def _admitted(
        self,
        job: Job,
        admitted: Admitted,
        ask: Ask,
        started: float,
        delivery: Delivery | None,
        digest: str,
    ) -> Outcome | Wait | None:
        """None for one of several deployments that did nothing, since its breaker or its limits let no call, or a probe
        found it ill still: another one is to be asked. A `Wait` for what is gathered where limits let no call."""
        step, model, provider = job.step, admitted.model, admitted.catalog.providers[admitted.model.provider]
        assert isinstance(step, Call)
        exchange, usage, key = Exchange(), None, admitted.identity
        began, took, failed = time.monotonic(), None, False
        earlier: Sequence[Row] = ()
        # A request that goes on with an answer is another than the one that it was begun by, and is billed beside it.
        goes_on = delivery is not None and delivery.goes_on
        # And each micro-batch is another one.
        alike = provider.idempotent and not goes_on and not admitted.gathered
        several = len(model.deployments) > 1
        probes = several and self._breakers.ailing(model.provider)
        asking = Asking(self._meter, job, admitted, exchange, content=self._library.settings.trace_content)
        try:
            earlier = await self._earlier(key, admitted.attempt)
            guard = self._breakers.guard(model.provider, provider.breaker, key, lasts(step))
            async with nullcontext() if admitted.gathered else guard:
                own_key = f"{key}+{admitted.attempt}" if goes_on else key
                sending = Sending(timeout=step.timeout, idempotency_key=own_key, exchange=exchange)
                with asking.observed():
                    if admitted.gathered:
                        response = await self._shared(job, admitted, started, **sending)
                    elif delivery is None:
                        response = await ask(admitted, **sending)
                    else:
                        response = await self._streamed(delivery, admitted, asking, **sending)
                    asking.answered(response)
        except asyncio.CancelledError:
            if exchange.billable:
                await self._settle(job, admitted, left(admitted, exchange.usage))
            else:
                await self._settle(job, admitted, None)
            raise
        except Refused as refused:
            await self._settle(job, admitted, None)
            return None if several else refused.wait
        except Exception as error:
            failure = error if isinstance(error, ProviderError) else _unexpected(error, model)
            if several and failure.kind in ("unauthorized", "not_found"):
                # Another one has another key, and other names.
                failure.retryable = True
            # No answer is as bad as one at the last moment.
            failed, took = failure.retryable, step.timeout if failure.retryable else None
            soon = time.monotonic() - began < PROBE_TIME
            still_ill = probes and soon and not exchange.billable and ill(failure, provider.breaker)
            if still_ill or (several and failure.kind == "breaker_open"):
                await self._settle(job, admitted, None)
                return None
            if delivery is not None and await delivery.drop():
                failure = broken(failure, job)
            usage = failure.usage
            unanswered = admitted.unanswered if exchange.billable else None
            own = recorded(job, admitted, started, unanswered, error=failure, cost=exchange.cost_usd)
            await self._settle(job, admitted, own)
            raise _failed(failure, job, in_all(own, earlier, answered=False)) from error
        else:
            # It waits for nobody until it is recorded: who is cancelled meanwhile would ask and pay again.
            usage, took = response.usage, time.monotonic() - began
            own = recorded(job, admitted, started, None, usage=usage, cost=exchange.cost_usd)
            log.info("call answered", model=model.id, cost_usd=own.cost_usd, latency_ms=own.latency_ms)
            outcome = accounted(admitted, response, in_all(own, earlier, answered=alike))
            await self._settle(job, admitted, own, outcome, digest, replaces=alike)
            if delivery is not None:
                await delivery.finish()
            return outcome
        finally:
            if not admitted.gathered:
                await self._admission.leave(admitted, usage, took, failed=failed)

    async def _settle(
        self,
        job: Job,
        admitted: Admitted,
        own: CallRecord | None,
        outcome: Outcome | None = None,
        digest: str | None = None,
        *,
        replaces: bool = False,
        patience: float | None = None,
        run: str | None = None,
    ) -> None:
        """Keep what the attempt came to, which `replaces` what those before it were estimated at. One that used nothing
        only gives back what was reserved for it. `digest` is that of the question which `outcome` answers.
        `patience` (seconds) is by default what the attempt has left, and `run` the whole run that the attempt is of:
        outside of its activity both are to be given."""
        provider, context = admitted.catalog.providers[admitted.model.provider], job.context
        simulated = outcome.simulated if outcome else provider.simulated
        used = own is not None and (outcome is not None or own.usage != Usage())
        if not used and not admitted.reserved:
            return
        settlement = Settlement(
            identity=admitted.identity,
            attempt=admitted.attempt,
            today=await self._admission.today(context.tenant),
            paid=Paid(record=own, context=context, simulated=simulated) if own and used else None,
            outcome=outcome,
            replaces_estimates=replaces,
            run=whole_run_id(job.path) if run is None else run,
            question=digest,
        )
        await self._settling.settle(settlement, _time_left() if patience is None else patience)

    async def _answer(self, admitted: Admitted, **sending: Unpack[Sending]) -> Outcome:
        model, request = admitted.model, admitted.request
        if request.embed:
            return await self._embed(admitted, **sending)
        media = await media_of(request, self._payloads)
        client = self._client.of(admitted.catalog)
        return answered(admitted, await client.complete(model, request, media=media, **sending))

    async def _streamed(
        self, delivery: Delivery, admitted: Admitted, asking: Asking, **sending: Unpack[Sending]
    ) -> Outcome:
        """The same, whose pieces are delivered as they come."""
        model, request, client = admitted.model, admitted.request, self._client.of(admitted.catalog)
        media, response = await media_of(request, self._payloads), None
        async with (
            at_most(model.provider, sending["timeout"]),
            aclosing(client.stream(model, request, media=media, **sending)) as pieces,
        ):
            async for piece in pieces:
                asking.first_piece()
                if isinstance(piece, ModelResponse):
                    response = piece
                else:
                    delivery.add(piece)
        assert response is not None, "a stream that does not raise ends with the whole answer"
        if delivery.goes_on:
            response = joined(delivery.begun, response)
        return answered(admitted, response)

    async def _embed(self, admitted: Admitted, **sending: Unpack[Sending]) -> Outcome:
        return embedded(await self._client.of(admitted.catalog).embed(admitted.model, admitted.request, **sending))

    async def _shared(self, job: Job, admitted: Admitted, started: float, **sending: Unpack[Sending]) -> Outcome:
        """The same, by a call that may have other callers too."""
        exchange, caller, run = sending["exchange"], asyncio.current_task(), whole_run_id(job.path)
        assert caller is not None

        async def late(embedding: Embedding) -> None:
            # It has left, and booked what it might have cost: that is replaced by what was paid.
            await asyncio.wait({caller})
            own = recorded(job, admitted, started, None, usage=embedding.usage, cost=exchange.cost_usd)
            await self._settle(job, admitted, own, accounted(admitted, embedded(embedding), own), patience=0, run=run)

        asking = self._micro_batches.embed(admitted, timeout=sending["timeout"], exchange=exchange, late=late)
        return embedded(await asking)


def lasts(step: Call) -> float:
    """Seconds after which an attempt has ended, or died: its time-out, and the time that the stores may take."""
    return step.timeout + STORE_TIME + 15


def _unexpected(error: Exception, model: Model) -> ProviderError:
    """A final error, whatever it is: to ask again could only pay again."""
    log.error("an unexpected error", model=model.id, exc_info=error)
    return ProviderError("internal_error", f"unexpected {type(error).__name__}: {error}")


def _time_left() -> float:
    """Seconds until Temporal takes this attempt for lost, less some to report it."""
    info = activity.info()
    assert info.start_to_close_timeout is not None
    return (info.started_time + info.start_to_close_timeout - datetime.now(UTC)).total_seconds() - 5


def _failed(error: ProviderError, job: Job, record: CallRecord) -> ApplicationError:
    assert isinstance(job.step, Call)
    failure = Failure(type=error.kind, message=str(error), calls=(record,))
    return give_up_or_retry(error, failure, job.step.retry, job.failures)
