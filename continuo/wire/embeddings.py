"""OpenAI's Embeddings: texts in, their vectors out."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Literal

import orjson
from pydantic import JsonValue

from continuo.data import Int
from continuo.door.request import Request
from continuo.jobs import Outcome
from continuo.messages import Message, Usage
from continuo.parameters import Parameters
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError, refusing
from continuo.wire.parsed import Shape

MOST = 2048
"""Texts of one request."""


class Body(Shape):
    """Of `POST /v1/embeddings`. Tokens are in the shape, and refused in words of their own."""

    model: str
    input: str | list[str] | list[Int] | list[list[Int]]
    dimensions: Int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


def request(body: Body, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body: a turn for each text. `resolve` makes a pattern of the model's name.

    Raises `WireError` for what cannot be taken.
    """
    with refusing("model"):
        pattern = resolve(body.model)
    if not pattern.startswith("model:"):
        what = f"{body.model!r} is a pattern, and two models' vectors cannot be compared"
        raise WireError(400, f"model: {what}; name one model that embeds", "model", "invalid_value")
    messages = tuple(Message(role="user", content=text) for text in _texts(body))
    with refusing():
        parameters = Parameters(embed=True, dimensions=body.dimensions, user=body.user or None)
        return Accepted(Request(pattern=pattern, messages=messages, parameters=parameters), {})


def response(outcome: Outcome, account: Mapping[str, JsonValue], body: Body) -> bytes:
    """The embeddings as JSON, with the numbers of 32 bits. For a thread: it may be long, and loads numpy."""
    import numpy

    used = outcome.usage or Usage()
    vectors = numpy.frombuffer(b64decode(outcome.embedding or ""), "<f4").reshape(len(_texts(body)), -1)
    packed = body.encoding_format == "base64"
    made: dict[str, Any] = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": b64encode(vector.tobytes()).decode() if packed else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": body.model,
        "usage": {"prompt_tokens": used.input_tokens, "total_tokens": used.input_tokens},
        "continuo": dict(account),
    }
    return orjson.dumps(made, option=orjson.OPT_SERIALIZE_NUMPY)


def _texts(body: Body) -> list[str]:
    given = [body.input] if isinstance(body.input, str) else body.input
    if not 0 < len(given) <= MOST:
        message = f"input: there are {len(given):,} texts; send 1 to {MOST:,}"
        raise WireError(400, message, "input", "invalid_value")
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):
        message = "input: tokens are not taken here; send the texts (LangChain: check_embedding_ctx_length=False)"
        raise WireError(400, message, "input", "invalid_value")
    for number, text in enumerate(texts):
        if not text.strip():
            param = "input" if isinstance(body.input, str) else f"input.{number}"
            raise WireError(400, f"{param}: the text is empty; leave it out", param, "invalid_value")
    return texts
