"""From a body to what is submitted at the door: a chat of one turn."""

from collections.abc import Callable

from continuo.wire import chat
from continuo.wire.accepted import Accepted
from continuo.wire.completions.body import Body
from continuo.wire.errors import WireError

MAX_TOKENS = 16
"""What a request that says nothing of it may have written."""

_SAME = (
    "model", "frequency_penalty", "logit_bias", "n", "presence_penalty", "seed", "stop", "stream", "stream_options",
    "temperature", "top_p", "user",
)  # fmt: skip


def request(body: Body, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body. `resolve` makes a pattern of the model's name, see `Request`.

    Raises `WireError` for what cannot be taken.
    """
    if body.suffix:
        raise _refused("suffix", "nothing is inserted before it here; leave it out")
    if body.logprobs is not None and body.echo:
        raise _refused("logprobs", "those of the prompt that is to be echoed are not known; leave one of the two out")
    turn = chat.Body.model_validate(
        {
            **{name: getattr(body, name) for name in _SAME},
            "messages": [{"role": "user", "content": prompt(body)}],
            "max_tokens": body.max_tokens or MAX_TOKENS,
            # Zero is the token itself, and none beside it.
            "logprobs": None if body.logprobs is None else True,
            "top_logprobs": body.logprobs,
        }
    )
    return chat.request(turn, resolve=resolve)


def prompt(body: Body) -> str:
    """The one prompt. Raises `WireError` for tokens, and for another number of prompts."""
    match body.prompt:
        case str(text) | [str(text)]:
            return text
        case [str(), *_]:
            raise _refused("prompt", f"there are {len(body.prompt)} prompts; send a request for each")
    raise _refused("prompt", "tokens are not taken here; send the text itself")


def _refused(name: str, why: str) -> WireError:
    return WireError(400, f"{name}: {why}", name, "unsupported_parameter")
