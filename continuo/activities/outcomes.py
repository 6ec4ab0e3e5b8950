"""A model's answer as the outcome of its call."""

from base64 import b64encode

from continuo.activities.admission import Admitted
from continuo.decisions.confidence import rated
from continuo.jobs import CallRecord, Outcome
from continuo.messages import ModelResponse
from continuo.providers.embeddings import Embedding


def embedded(embedding: Embedding) -> Outcome:
    """What a model that embeds has answered."""
    vectors = b64encode(embedding.vectors).decode()
    return Outcome(text="", embedding=vectors, served_by="model", simulated=embedding.simulated, usage=embedding.usage)


def accounted(admitted: Admitted, response: Outcome, record: CallRecord) -> Outcome:
    """The answer, with whose it is and what it cost."""
    model, calls = admitted.model, (record,)
    update: dict[str, object] = {
        "model": model.id, "provider": model.provider, "cost_usd": record.cost_usd, "calls": calls
    }  # fmt: skip
    reasons = []
    if admitted.replaces:
        asked_for = admitted.catalog.models.get(admitted.replaces)
        when = f", on {asked_for.retires}" if asked_for and asked_for.retires else ""
        reasons.append(f"{admitted.replaces} has retired{when}")
    if admitted.reason:
        update["fallback"] = True
        reasons.append(admitted.reason)
    update["reasons"] = tuple(reasons)
    return response.model_copy(update=update)


def answered(admitted: Admitted, response: ModelResponse) -> Outcome:
    """What a model has said."""
    request = admitted.request
    text, confidence = rated(response) if request.rated else (response.message.text, response.confidence)
    return Outcome(
        text=text,
        logprobs=response.logprobs if request.logprobs else (),
        transcript=response.transcript if request.segments else None,
        message=response.message.saying(text),
        finish_reason=response.finish_reason,
        served_by=admitted.catalog.protocol(admitted.model).served_by,
        confidence=confidence,
        simulated=response.simulated,
        usage=response.usage,
    )
