"""What a call may cost and use at most, before anybody knows."""

from continuo.config.catalog import Model
from continuo.decisions.media_tokens import most_tokens, usual_tokens
from continuo.messages import ModelRequest, Usage, estimated_tokens
from continuo.parameters import Effort
from continuo.parts import Audio, Reasoning, Text

MAX_OUTPUT = 4_096
"""Tokens a model may write under a budget, where neither the request nor its step says how many."""

_THOUGHTS: dict[Effort | None, int] = {"medium": 8_192, "high": 28_672, "xhigh": 61_440, "max": 61_440}
"""Tokens that are allowed for thoughts on top of that: every provider counts them as output, and against the limit."""


def is_free(model: Model) -> bool:
    return model.price is not None and not (
        model.price.input or model.price.output or model.price.cached or model.price.minute
    )


def capped(request: ModelRequest) -> ModelRequest:
    """The request with a limit on what may be written: without one there is no most that it may cost."""
    return request if request.max_tokens else request.model_copy(update={"max_tokens": max_output(request)})


def max_output(request: ModelRequest) -> int:
    """Tokens that are enough for an answer and its thoughts, where nobody says how many."""
    return MAX_OUTPUT + _THOUGHTS.get(request.reasoning_effort, 0)


def most_usd(model: Model, request: ModelRequest) -> float:
    """USD that the answer to a capped request costs at most; the model has a price.

    No tokenizer makes more tokens than there are bytes, and our JSON of the request is longer than any provider's own
    frame around the texts. Media are references in it, and count as what a model reads them as.
    """
    assert model.price is not None
    if is_free(model):
        return 0.0
    read = len(request.model_dump_json().encode()) + sum(map(most_tokens, request.media))
    written = model.price.of_writing(request.cache_control) if request.cache_control else 0.0
    dearest = max(model.price.input, model.price.cached or 0.0, written)
    minutes = sum(part.seconds for part in request.media if isinstance(part, Audio)) / 60
    return (read * dearest + _written(request) * model.price.output) / 1e6 + minutes * model.price.minute


def likely_usd(model: Model, request: ModelRequest) -> float | None:
    """USD that the call will cost as far as one can tell, None where the model has no price."""
    seconds = sum(part.seconds for part in request.media if isinstance(part, Audio))
    usage = most_usage(capped(request)).model_copy(update={"seconds": seconds})
    return model.price.cost(usage) if model.price else None


def most_usage(request: ModelRequest) -> Usage:
    """What a capped request is booked as where nobody has counted: its texts, and all that it allows to be written."""
    return Usage(input_tokens=read_tokens(request), output_tokens=_written(request), estimated=True)


def _written(request: ModelRequest) -> int:
    """Tokens that are written at most; an embedding is none."""
    assert request.max_tokens is not None
    return 0 if request.embed else request.max_tokens


def likely_tokens(request: ModelRequest) -> int:
    """Tokens that the call will use, in and out, as far as one can tell: what limits count until it has ended."""
    return read_tokens(request) + (request.max_tokens or 0)


def read_tokens(request: ModelRequest) -> int:
    """Tokens of the instructions, the turns and their media, where nobody has counted."""
    parts = [part for turn in request.messages for part in turn.parts]
    texts = [part.text for part in parts if isinstance(part, Text | Reasoning)]
    return estimated_tokens(request.system or "", *texts) + sum(map(usual_tokens, request.media))


def total(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens
