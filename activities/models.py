"""The activity that calls a model: journal first, call second, record third."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.admission import Admission, Admitted
from activities.breakers import Breakers
from activities.errors import give_up_or_retry
from activities.identity import identity
from continuo.catalog import Catalog, Model
from continuo.confidence import INSTRUCTION, rated
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.limits import Wait
from continuo.messages import ModelRequest, Usage
from continuo.patterns import Call
from continuo.providers.client import ModelClient
from continuo.stores.journal import Journal
from continuo.stores.vectors import written

log = structlog.get_logger()

Ask = Callable[..., Coroutine[Any, Any, Outcome]]


class ModelCalls:
    """Calls models through one pooled client, and keeps every answer and its cost."""

    def __init__(
        self,
        catalog: Catalog,
        client: ModelClient,
        journal: Journal,
        admission: Admission,
        breakers: Breakers,
    ) -> None:
        self._catalog = catalog
        self._client = client
        self._journal = journal
        self._admission = admission
        self._breakers = breakers

    @activity.defn(name="call")
    async def call(self, job: Job) -> Outcome | Wait:
        """Answer a job whose step is a `Call`; or, where a limit is used up, say when to ask again."""
        return await self._once(job, self._answer)

    @activity.defn(name="embed")
    async def embed(self, job: Job) -> Outcome | Wait:
        """Embed the prompt of a job whose step is a `Call`; the text is the vector, see `vectors.written`."""
        return await self._once(job, self._embed)

    async def _once(self, job: Job, ask: Ask) -> Outcome | Wait:
        """What `ask` gives, journalled and paid; what an earlier attempt journalled is returned as it is."""
        key = identity()
        if (known := await self._journal.find(key)) is not None:
            return known
        step = job.step
        assert isinstance(step, Call)
        wanted, started = self._catalog.models[step.model], time.monotonic()
        try:
            self._breakers.check(wanted.provider)
            fill, lease = partial(filled_in, step, job.request), lasts(step)
            admitted = await self._admission.admit(job, wanted, fill, key, lease)
        except ProviderError as error:
            raise _failed(error, job, _account(job, wanted, started, error)) from error
        if isinstance(admitted, Wait):
            return admitted
        return await self._admitted(job, admitted, ask, key, started)

    async def _admitted(self, job: Job, admitted: Admitted, ask: Ask, key: str, started: float) -> Outcome:
        step, model, context = job.step, admitted.model, job.context
        assert isinstance(step, Call)
        today, usage = self._admission.today(context.tenant), None
        try:
            async with self._breakers.guard(model.provider, admitted.place, lasts(step)):
                found = await ask(model, admitted.request, timeout=step.timeout, idempotency_key=key)
            usage = found.usage
            record = _account(job, model, started, usage)
            log.info("call answered", model=model.id, cost_usd=record.cost_usd, latency_ms=record.latency_ms)
            update = {"model": model.id, "provider": model.provider, "cost_usd": record.cost_usd, "calls": (record,)}
            outcome = found.model_copy(update=update)
            if admitted.reason:
                outcome = outcome.model_copy(update={"fallback": True, "reasons": (admitted.reason,)})
            # The answer is paid for: a cancellation that arrives now must not lose it.
            await asyncio.shield(self._journal.record(key, outcome, context, today))
        except ProviderError as error:
            usage = error.usage
            record = _account(job, model, started, error)
            if usage is not None:
                await self._journal.charge(key, activity.info().attempt, record, context, today)
            raise _failed(error, job, record) from error
        finally:
            await self._admission.leave(admitted, usage)
        return outcome

    async def _answer(self, model: Model, request: ModelRequest, *, timeout: float, idempotency_key: str) -> Outcome:
        response = await self._client.complete(model, request, timeout=timeout, idempotency_key=idempotency_key)
        text, confidence = rated(response) if request.rated else (response.message.content, response.confidence)
        local = self._catalog.providers[model.provider].protocol == "knowledge"
        return Outcome(
            text=text,
            message=response.message.model_copy(update={"content": text}),
            finish_reason=response.finish_reason,
            served_by="knowledge" if local else "model",
            confidence=confidence,
            simulated=response.simulated,
            usage=response.usage,
        )

    async def _embed(self, model: Model, request: ModelRequest, *, timeout: float, idempotency_key: str) -> Outcome:
        found = await self._client.embed(model, request.prompt, timeout=timeout, idempotency_key=idempotency_key)
        return Outcome(text=written(found.vector), served_by="model", simulated=found.simulated, usage=found.usage)


def lasts(step: Call) -> float:
    """Seconds after which an attempt has ended, or died: its time-out, that of its activity, and some more."""
    return step.timeout + 15


def _account(job: Job, model: Model, started: float, ended: ProviderError | Usage | None) -> CallRecord:
    error = ended if isinstance(ended, ProviderError) else None
    usage = ended.usage if isinstance(ended, ProviderError) else ended
    return CallRecord(
        path=job.path,
        model=model.id,
        provider=model.provider,
        attempts=activity.info().attempt,
        status="failed" if error else "ok",
        error=f"{error.kind}: {error}" if error else None,
        usage=usage or Usage(),
        cost_usd=model.price.cost(usage) if model.price and usage else None,
        latency_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _failed(error: ProviderError, job: Job, record: CallRecord) -> ApplicationError:
    assert isinstance(job.step, Call)
    failure = Failure(type=error.kind, message=str(error), calls=(record,))
    return give_up_or_retry(error, failure, job.step.retry)


def filled_in(step: Call, request: ModelRequest, model: Model) -> ModelRequest:
    """The request, with the step's own settings where the request leaves them open.

    A model that has to tell itself how sure it is is told so, unless that would spoil the JSON that is wanted.
    """
    defaults = {name: getattr(step, name) for name in ("system", "max_tokens", "temperature")}
    update = {name: value for name, value in defaults.items() if getattr(request, name) is None}
    if request.rated and not model.logprobs and request.response_schema is None:
        system = update.get("system") or request.system
        update["system"] = f"{system}\n\n{INSTRUCTION}" if system else INSTRUCTION
    return request.model_copy(update=update)
