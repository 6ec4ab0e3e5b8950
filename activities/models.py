"""The activity that calls a model: journal first, call second, record third."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from temporalio import activity

from activities.errors import give_up_or_retry
from activities.identity import identity
from continuo.catalog import Catalog, Model
from continuo.confidence import INSTRUCTION, rated
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.messages import ModelRequest, Usage
from continuo.patterns import Call
from continuo.providers.client import ModelClient
from continuo.stores.journal import Journal
from continuo.stores.vectors import written

log = structlog.get_logger()


class ModelCalls:
    """Calls models through one pooled client, and keeps every answer and its cost."""

    def __init__(self, catalog: Catalog, client: ModelClient, journal: Journal) -> None:
        self._catalog = catalog
        self._client = client
        self._journal = journal

    @activity.defn(name="call")
    async def call(self, job: Job) -> Outcome:
        """Answer a job whose step is a `Call`."""
        return await self._once(job, self._answer)

    @activity.defn(name="embed")
    async def embed(self, job: Job) -> Outcome:
        """Embed the prompt of a job whose step is a `Call`; the text is the vector, see `vectors.written`."""
        return await self._once(job, self._embed)

    async def _once(self, job: Job, ask: Callable[[Job, Call, Model, str], Awaitable[Outcome]]) -> Outcome:
        """What `ask` gives, journalled and paid; what an earlier attempt journalled is returned as it is."""
        key = identity()
        if (known := self._journal.find(key)) is not None:
            return known
        step = job.step
        assert isinstance(step, Call)
        model = self._catalog.models[step.model]
        started = time.monotonic()

        def account(usage: Usage | None, error: str | None = None) -> CallRecord:
            return CallRecord(
                path=job.path,
                model=model.id,
                provider=model.provider,
                attempts=activity.info().attempt,
                status="failed" if error else "ok",
                error=error,
                usage=usage or Usage(),
                cost_usd=model.price.cost(usage) if model.price and usage else None,
                latency_ms=round((time.monotonic() - started) * 1000, 3),
            )

        try:
            outcome = await ask(job, step, model, key)
        except ProviderError as error:
            record = account(error.usage, f"{error.kind}: {error}")
            if error.usage is not None:
                await self._journal.charge(f"{key}#{activity.info().attempt}", record, job.context)
            failure = Failure(type=error.kind, message=str(error), calls=(record,))
            raise give_up_or_retry(error, failure, step.retry) from error
        record = account(outcome.usage)
        log.info("call answered", model=model.id, cost_usd=record.cost_usd, latency_ms=record.latency_ms)
        outcome = outcome.model_copy(
            update={
                "model": model.id,
                "provider": model.provider,
                "cost_usd": record.cost_usd,
                "calls": (record,),
            }
        )
        # The answer is paid for: a cancellation that arrives now must not lose it.
        await asyncio.shield(self._journal.record(key, outcome, job.context))
        return outcome

    async def _answer(self, job: Job, step: Call, model: Model, key: str) -> Outcome:
        asked = filled_in(step, job.request, model)
        response = await self._client.complete(model, asked, timeout=step.timeout, idempotency_key=key)
        text, confidence = rated(response) if asked.rated else (response.message.content, response.confidence)
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

    async def _embed(self, job: Job, step: Call, model: Model, key: str) -> Outcome:
        prompt = job.request.prompt
        found = await self._client.embed(model, prompt, timeout=step.timeout, idempotency_key=key)
        return Outcome(text=written(found.vector), served_by="model", simulated=found.simulated, usage=found.usage)


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
