"""The body of a request for a job."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue

from continuo.data import Number, seconds
from continuo.jobs import Prefer, Priority
from continuo.wire.chat.body import Options, Turn
from continuo.wire.parsed import Shape

Key = Annotated[str, Field(min_length=1, max_length=64)]
Value = Annotated[str, Field(max_length=512)]


class Webhook(Shape):
    url: str


class Body(Options):
    """Of `POST /v1/jobs`: a pattern or a model, a text, turns or data, and what a chat completion has beside them.

    `deadline` is in seconds from the start, or a text such as `5m`; `metadata` is given back with the job.
    """

    n: Literal[1] | None = None
    pattern: str | None = None
    model: str | None = None
    input: str | None = None
    messages: list[Turn] = []
    data: dict[str, JsonValue] | None = None
    session: str | None = None
    prefer: Prefer | None = None
    priority: Priority | None = None
    deadline: Annotated[Number | None, BeforeValidator(seconds, json_schema_input_type=float | str)] = None
    metadata: Annotated[dict[Key, Value], Field(max_length=16)] | None = None
    webhook: Webhook | None = None
    stream: Literal[False] | None = None
    stream_options: None = None
