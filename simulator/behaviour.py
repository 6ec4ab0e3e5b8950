"""How a simulated model behaves, and what it has been asked."""

import random
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Tokens(Strict):
    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)


class CallTool(Strict):
    name: str
    arguments: dict[str, Any] = {}


class Behaviour(Strict):
    """What a person scripts. Without any of it a model answers at once, with a text about the prompt.

    `latency` is in seconds. `status` is what every call is answered with; with `outage` (the number of calls to
    come, or true until changed) or `error_rate` (0..1, from `seed`) only those, 503 where no status is set.
    `retry_after` (seconds) and `retry_after_ms` go out as headers of such an error.
    `confidence` ends the text as a line `CONFIDENCE: x`. `tool_call` is made once, if the request offers the tool.
    """

    latency: float = Field(default=0.0, ge=0)
    status: int | None = Field(default=None, ge=200, le=599)
    error_message: str = "scripted by the simulator"
    error_code: str | None = None
    retry_after: float | None = None
    retry_after_ms: float | None = None
    outage: bool | int = False
    error_rate: float = Field(default=0.0, ge=0, le=1)
    seed: int = 0
    confidence: float | None = Field(default=None, ge=0, le=1)
    text: str | None = None
    tokens: Tokens | None = None
    finish_reason: Literal["stop", "length"] = "stop"
    fault: Literal["not_json", "empty", "cut", "no_usage", "refusal", "reset"] | None = None
    tool_call: CallTool | None = None

    _random: random.Random = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        self._random = random.Random(self.seed)

    def next_status(self) -> int:
        """The status of the next call: 200, or the scripted error if this call is to fail."""
        error = self.status or 503
        if self.outage is True:
            return error
        if self.outage:
            self.outage -= 1
            return error
        if self.error_rate:
            return error if self._random.random() < self.error_rate else 200
        # A status alone is meant for every call, but not once an outage that it belongs to is over.
        return error if self.status and "outage" not in self.model_fields_set else 200


class Call(Strict):
    """One request as it was seen. `disconnected`: the client left before it had its answer."""

    model: str
    protocol: str
    stream: bool
    idempotency_key: str | None
    traceparent: str | None
    body: dict[str, Any]
    time: float = Field(default_factory=time.time)
    status: int | None = None
    answered: bool = False
    disconnected: bool = False


class State:
    """All that the server remembers."""

    def __init__(self, latency: float) -> None:
        self._default = Behaviour(latency=latency)
        self.models: dict[str, Behaviour] = {}
        self.calls: list[Call] = []

    def behaviour(self, model: str) -> Behaviour:
        return self.models.get(model, self._default)
