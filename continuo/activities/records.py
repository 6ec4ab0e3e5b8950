"""What an attempt of a call came to, as its run and the ledger are told."""

import time
from collections.abc import Sequence

from continuo.activities.admission import Admitted
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Job
from continuo.messages import Usage
from continuo.stores.database import Row
from continuo.stores.ledger import in_all


def recorded(
    job: Job,
    admitted: Admitted,
    started: float,
    unanswered: CallRecord | None,
    *,
    usage: Usage | None = None,
    error: ProviderError | None = None,
    cost: float | None = None,
) -> CallRecord:
    """How this attempt went. What nobody has counted is taken from `unanswered`, if it may have to be paid. `cost` is
    what the usage costs in USD, where that does not follow from the model's price."""
    model, usage = admitted.model, error.usage if error else usage
    if cost is None and model.price and usage:
        cost = model.price.cost(usage)
    if usage is None and unanswered is not None:
        usage, cost = unanswered.usage, unanswered.cost_usd
    return CallRecord(
        path=job.path,
        model=model.id,
        provider=model.provider,
        attempts=admitted.attempt,
        status="failed" if error else "ok",
        error=f"{error.kind}: {error}" if error else None,
        usage=usage or Usage(),
        cost_usd=None if cost is None else round(cost, 9),
        latency_ms=round((time.monotonic() - started) * 1000, 3),
    )


def left(admitted: Admitted, shown: Usage | None) -> CallRecord:
    """A call that was cancelled: what was shown of its answer, never more than was set aside for it."""
    most, price = admitted.unanswered, admitted.model.price
    update: dict[str, object] = {"status": "cancelled", "error": "cancelled before it was answered"}
    if shown is not None:
        usage = shown.model_copy(update={"output_tokens": min(shown.output_tokens, most.usage.output_tokens)})
        update["usage"] = usage
        update["cost_usd"] = round(min(price.cost(usage), most.cost_usd or 0.0), 9) if price else None
    return most.model_copy(update=update)


def record_of(rows: Sequence[Row]) -> CallRecord:
    """The record of a call of which only the ledger knows."""
    last = rows[-1]
    fields = {name: last[name] for name in ("path", "model", "provider", "status")}
    return in_all(CallRecord.model_validate({**fields, "attempts": len(rows)}), rows, answered=False)
