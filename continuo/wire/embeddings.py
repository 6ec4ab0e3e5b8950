"""OpenAI's Embeddings: texts in, their vectors out."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
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

MOST_TOKEN = 2**31
"""No number of a token is larger."""


class Body(Shape):
    """Of `POST /v1/embeddings`. Tokens, by their numbers, are the model's own, and passed on."""

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
    inputs = _inputs(body)
    messages = tuple(
        Message(role="user", content=one if isinstance(one, str) else json.dumps(one, separators=(",", ":")))
        for one in inputs
    )
    tokens = None if isinstance(inputs[0], str) else True
    with refusing():
        parameters = Parameters(embed=True, dimensions=body.dimensions, user=body.user or None, tokens=tokens)
        return Accepted(Request(pattern=pattern, messages=messages, parameters=parameters), {})


def response(outcome: Outcome, account: Mapping[str, JsonValue], body: Body) -> bytes:
    """The embeddings as JSON, with the numbers of 32 bits. For a thread: it may be long, and loads numpy."""
    import numpy

    used = outcome.usage or Usage()
    vectors = numpy.frombuffer(b64decode(outcome.embedding or ""), "<f4").reshape(len(_inputs(body)), -1)
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


def _inputs(body: Body) -> Sequence[str | list[int]]:
    """What is to be embedded: texts, or lists of tokens."""
    given = body.input
    numbered = not isinstance(given, str) and not (given and isinstance(given[0], int))
    inputs: Any = given if numbered else [given]
    if not 0 < len(inputs) <= MOST:
        message = f"input: there are {len(inputs):,} texts; send 1 to {MOST:,}"
        raise WireError(400, message, "input", "invalid_value")
    for number, one in enumerate(inputs):
        param = f"input.{number}" if numbered else "input"
        if not (one.strip() if isinstance(one, str) else one):
            raise WireError(400, f"{param}: the text is empty; leave it out", param, "invalid_value")
        if not isinstance(one, str) and not all(0 <= token <= MOST_TOKEN for token in one):
            message = f"{param}: a token is a number from 0 to {MOST_TOKEN:,}; send those of the model's own tokenizer"
            raise WireError(400, message, param, "invalid_value")
    return inputs  # type: ignore[no-any-return]
