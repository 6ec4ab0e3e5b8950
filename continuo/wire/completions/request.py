"""From a body to what is submitted at the door: a chat of one turn for each prompt."""

from collections.abc import Callable
from dataclasses import replace

from continuo.wire import chat
from continuo.wire.accepted import Accepted
from continuo.wire.completions.body import Body
from continuo.wire.errors import WireError

MAX_TOKENS = 16
"""What a request that says nothing of it may have written."""

MOST_RUNS = 128
"""Choices of all prompts together, each of which is a run."""

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
    said, each = prompts(body), body.n or 1
    if len(said) * each > MOST_RUNS:
        what = f"there are {len(said):,} prompts with {each} choices each"
        raise WireError(400, f"prompt: {what}; send at most {MOST_RUNS} choices together", "prompt", "invalid_value")
    first, *others = (chat.request(_chat(body, text), resolve=resolve) for text in said)
    return replace(first, others=tuple(one.request for one in others))


def prompts(body: Body) -> list[str]:
    """At least one. Raises `WireError` for tokens."""
    given: list[str | int | list[int]] = [body.prompt] if isinstance(body.prompt, str) else [*body.prompt]
    texts = [one for one in given if isinstance(one, str)]
    if not given:
        raise WireError(400, "prompt: there is none; send a text, or a list of texts", "prompt", "invalid_value")
    if len(texts) < len(given):
        raise _refused("prompt", "tokens are not taken here; send the text itself")
    return texts


def _chat(body: Body, prompt: str) -> chat.Body:
    return chat.Body.model_validate(
        {
            **{name: getattr(body, name) for name in _SAME},
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": body.max_tokens or MAX_TOKENS,
            # Zero is the token itself, and none beside it.
            "logprobs": None if body.logprobs is None else True,
            "top_logprobs": body.logprobs,
        }
    )


def echoed(body: Body, index: int) -> str:
    """What the choice of this index, of all prompts, begins with."""
    return prompts(body)[index // (body.n or 1)] if body.echo else ""


def _refused(name: str, why: str) -> WireError:
    return WireError(400, f"{name}: {why}", name, "unsupported_parameter")
