"""The request as it is sent."""

import structlog

from continuo.activities.delivering import Delivery
from continuo.config.catalog import Catalog, Model
from continuo.decisions.confidence import INSTRUCTION
from continuo.decisions.continuing import going_on
from continuo.decisions.settled import settled
from continuo.errors import ProviderError
from continuo.messages import ModelRequest
from continuo.patterns import Call

log = structlog.get_logger()


def filled_in(
    step: Call, request: ModelRequest, catalog: Catalog, delivery: Delivery | None, model: Model
) -> ModelRequest:
    """The request as the model takes it, with the step's own settings where the request leaves them open, or the one
    for the rest of an answer.

    A model that has to tell itself how sure it is is told so, unless that would spoil the JSON that is wanted. Raises
    `ProviderError` where the model cannot answer the request.
    """
    filled = settled(step, request)
    can_be_told = not (model.logprobs or model.transcribes)
    if request.rated and can_be_told and request.response_schema is None and request.response_format is None:
        system = f"{filled.system}\n\n{INSTRUCTION}" if filled.system else INSTRUCTION
        filled = filled.model_copy(update={"system": system})
    refused = catalog.refused_by(model)
    if lacking := sorted(filled.demands & refused):
        raise ProviderError("invalid_request", f"model {model.id} takes no {' and no '.join(lacking)}")
    if left_out := sorted(filled.tuned & refused):
        log.info("left out what the model does not take", model=model.id, parameters=left_out)
    taken = filled.without(refused)
    if delivery is None or not delivery.goes_on:
        return taken
    if model.continues is None:
        # The catalog was another one when the run began.
        raise ProviderError("stream_broken", f"model {model.id} does not go on with an answer that broke off")
    return going_on(taken, delivery.begun, model)
