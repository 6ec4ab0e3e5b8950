"""From a body to what is submitted at the door."""

from collections.abc import Callable

from continuo.door.request import Request
from continuo.messages import Message
from continuo.wire.accepted import Accepted
from continuo.wire.chat.request import conversation, parameters
from continuo.wire.errors import WireError, refusing
from continuo.wire.jobs.body import Body
from continuo.wire.media import Blobs


def request(body: Body, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body, see `continuo.wire.chat.request`; for whom it runs is for the caller."""
    blobs = Blobs()
    if body.input is not None and body.messages:
        raise WireError(400, "input: it excludes messages; leave one out", "input", "mutually_exclusive_parameters")
    if body.input is None and not body.messages and body.data is None:
        raise WireError(400, "input: write a text, or give messages or data", "input", "missing_required_parameter")
    messages, system = conversation(body.messages, blobs) if body.messages else ((), None)
    if body.input is not None:
        messages = (Message(role="user", content=body.input),)
    pattern = _pattern(body, resolve)
    # The caller's metadata are its own, and none of a provider.
    options = body.model_copy(update={"metadata": None})
    with refusing():
        made = Request(
            pattern=pattern,
            messages=messages,
            system=system,
            parameters=parameters(options),
            data=body.data,
        )
    return Accepted(made, blobs.content)


def _pattern(body: Body, resolve: Callable[[str], str]) -> str:
    if body.pattern is None and body.model is None:
        raise WireError(400, "pattern: name one, or a model", "pattern", "missing_required_parameter")
    if body.model is not None:
        if body.pattern is not None:
            raise WireError(400, "model: it excludes pattern; leave one out", "model", "mutually_exclusive_parameters")
        with refusing("model"):
            return resolve(body.model)
    assert body.pattern is not None
    with refusing("pattern"):
        pattern = resolve(body.pattern)
    if pattern.startswith("model:"):
        message = f"pattern: {body.pattern[:80]!r} is a model; name it as the model"
        raise WireError(400, message, "pattern", "invalid_value")
    return pattern
