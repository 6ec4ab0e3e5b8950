"""What a call asks for, of what the request and the step say."""

from continuo.data import is_set
from continuo.messages import ModelRequest
from continuo.patterns import Call

_FIELDS = ("system", "max_tokens", "temperature", "top_p", "stop", "seed", "reasoning_effort", "cache_control")


def settled(step: Call, request: ModelRequest) -> ModelRequest:
    """The request, with the step's own settings where it leaves them open."""
    open_fields = [name for name in _FIELDS if not is_set(getattr(request, name))]
    return request.model_copy(update={name: getattr(step, name) for name in open_fields})
