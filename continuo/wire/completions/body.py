"""The body of a request, as the SDKs send it."""

from typing import Literal

from pydantic import Field

from continuo.data import Int, Number
from continuo.wire.chat.body import MOST_CHOICES, StreamOptions
from continuo.wire.parsed import Shape


class Body(Shape):
    """Of `POST /v1/completions`. Tokens and a suffix are in the shape, and refused in words of their own. `max_tokens`
    is 16 where it is left out, as the API has it.
    """

    model: str
    prompt: str | list[str] | list[Int] | list[list[Int]]
    best_of: Literal[1] | None = None
    echo: bool | None = None
    frequency_penalty: Number | None = Field(default=None, ge=-2, le=2)
    logit_bias: dict[str, Int] | None = None
    logprobs: Int | None = Field(default=None, ge=0, le=5)
    max_tokens: Int | None = Field(default=None, gt=0)
    n: Int | None = Field(default=None, ge=1, le=MOST_CHOICES)
    presence_penalty: Number | None = Field(default=None, ge=-2, le=2)
    seed: Int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    user: str | None = None
