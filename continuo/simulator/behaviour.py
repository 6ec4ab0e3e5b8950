"""How a simulated model behaves, and what it has been asked."""

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictBool, model_validator

if TYPE_CHECKING:
    from continuo.simulator.reply import Wire


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Tokens(Strict):
    """What a model counts; `cached` is a part of `input`."""

    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _cached_is_a_part(self) -> Self:
        if self.cached > self.input:
            raise ValueError("cached is a part of input, so it cannot be more")
        return self


class CallTool(Strict):
    name: str
    arguments: dict[str, Any] = {}


class Turn(Strict):
    """One answer of a script: a text, calls of tools, or both."""

    text: str = ""
    calls: list[CallTool] = []


class Answer(Strict):
    """What is answered to one prompt; each as `Behaviour` has it."""

    text: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    tokens: Tokens | None = None


class Batching(Strict):
    """How batches of a model go: each ends `delay` seconds after it came. With `answers` only so many of its requests
    are answered, and it expires; one that is cancelled has as many answers, or none.

    `lost`: a batch is taken, but the answer that would say so is not sent; `slow`: it is, so many seconds later.
    `vanishes`: nobody knows it any more. `invalid`: it fails as a whole, in the protocol's way.
    """

    delay: float = Field(default=0.0, ge=0)
    answers: int | None = Field(default=None, ge=0)
    lost: StrictBool = False
    slow: float = Field(default=0.0, ge=0)
    vanishes: StrictBool = False
    invalid: StrictBool = False


class Behaviour(Strict):
    """What a person scripts. Without any of it a model answers with a text about the prompt.

    `keys`: with which status a request is refused that has one of these keys, before anything else is looked at.
    `latency`: seconds before the first byte; the server's `--latency` unless set.
    `status`: what every call is answered with; with `outage` (the number of calls to come, or true until changed)
    or `error_rate` (0..1, from `seed`) only those, 503 where no status is set. Such an error holds `error_message`
    and `error_code` (the protocol's own for the status unless set), and `retry_after` (seconds) and
    `retry_after_ms` as headers.
    `confidence` (0..1) ends a text, not JSON that was asked for, as a line `CONFIDENCE: x`; where OpenAI's protocol
    asks for `logprobs`, it is their mean, as a logarithm.
    `text`: the whole answer; who gives its beginning back as the assistant's turn gets the rest. `thought`: what comes
    before it as reasoning, signed where the protocol signs.
    `tokens`: about 4 characters each unless set, and 258 for any medium.
    `answers`: what each prompt is answered with, in place of all that says so here; any other prompt is answered with
    status 404.
    `tool_call` is made if the request offers the tool and holds no tool's result yet.
    `script`: one answer after the other, each with a text or calls of tools. Which one is next follows from the
    request: the assistant's turns in it are counted, or what the ids of its calls say where some were left out. Behind
    the last one it answers as without a script.
    `pace`: seconds before each event of a stream; `breaks_after`: so many of them, and its connection is dropped.
    `embeddings`: the vector of a text; any other has one that follows from its characters and knows of no meaning.
    `refuses_text`: a request to embed it, among others or alone, is answered with status 400.
    `refuses`: the fields of a body, as its protocol calls them, for which a request is answered with status 400.
    `fault`: *not_json* is a proxy's HTML page, *empty* an answer without any content, *cut* half a body (or half
    the events), *no_usage* an answer without counts, *refusal* the protocol's own, *reset* a connection that is
    dropped after its headers.
    `batch`: see `Batching`; its requests are answered as any, each with its own `status`.
    """

    keys: dict[str, Annotated[int, Field(ge=400, le=599)]] = {}
    latency: float = Field(default=0.0, ge=0)
    status: int | None = Field(default=None, ge=400, le=599)
    error_message: str = "scripted by the simulator"
    error_code: str | None = None
    retry_after: float | None = Field(default=None, ge=0)
    retry_after_ms: float | None = Field(default=None, ge=0)
    outage: StrictBool | Annotated[int, Field(ge=0)] = False
    error_rate: float = Field(default=0.0, ge=0, le=1)
    seed: int = 0
    confidence: float | None = Field(default=None, ge=0, le=1)
    text: str | None = None
    thought: str = ""
    tokens: Tokens | None = None
    finish_reason: Literal["stop", "length", "content_filter"] = "stop"
    fault: Literal["not_json", "empty", "cut", "no_usage", "refusal", "reset"] | None = None
    answers: dict[str, Answer] = {}
    tool_call: CallTool | None = None
    script: list[Turn] = []
    pace: float = Field(default=0.0, ge=0)
    breaks_after: int | None = Field(default=None, ge=0)
    embeddings: dict[str, list[float]] = {}
    refuses: tuple[str, ...] = ()
    refuses_text: str | None = None
    batch: Batching = Batching()

    _random: random.Random = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        self._random = random.Random(self.seed)

    def to(self, prompt: str) -> "Behaviour | None":
        """The behaviour that says what is answered to `prompt`; None where nothing is."""
        if not self.answers:
            return self
        if (answer := self.answers.get(prompt)) is None:
            return None
        return self.model_copy(update={name: getattr(answer, name) for name in Answer.model_fields})

    def refused(self, body: dict[str, Any]) -> str | None:
        """A field that the body holds and the model refuses."""
        held = {**body, **(body.get("generationConfig") or {})}
        return next((name for name in self.refuses if name in held), None)

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
    """One request as it was seen; `time` is when, in seconds since 1970, and `key` the last 4 characters of its key.

    `status` is None until it is decided. `answered`: a model's whole answer went out, so no error and no broken one.
    `disconnected`: the client left before it had its answer. `inputs`: how many texts were to be embedded.
    """

    model: str
    protocol: str
    stream: bool
    idempotency_key: str | None
    traceparent: str | None
    key: str = ""
    body: Any = None
    time: float = Field(default_factory=time.time)
    status: int | None = None
    answered: bool = False
    disconnected: bool = False
    inputs: int = 0


End = Literal["answered", "expired", "cancelled", "failed"]


@dataclass
class Batch:
    """One batch that was taken: its requests as pairs of id and body, in the shape of `wire`, and what the caller has
    noted of it, `label`.

    `results` are there once it has ended, each a status and a body, None where it was not answered; `end` says how that
    was. Of OpenAI's all requests are for one `endpoint`.
    """

    id: str
    protocol: str
    wire: "Wire"
    model: str
    requests: list[tuple[str, dict[str, Any]]]
    label: Any = None
    file: str | None = None
    endpoint: str = ""
    created: float = field(default_factory=time.time)
    cancelled: bool = False
    end: End | None = None
    results: dict[str, tuple[int, dict[str, Any]] | None] = field(default_factory=dict)


class State:
    """All that the server remembers. `latency` in seconds is that of every model without one of its own."""

    def __init__(self, latency: float) -> None:
        self._default = Behaviour(latency=latency)
        self.models: dict[str, Behaviour] = {}
        self.calls: list[Call] = []
        self.batches: dict[str, Batch] = {}
        self.files: dict[str, bytes] = {}

    def behaviour(self, model: str) -> Behaviour:
        return self.models.get(model, self._default)

    def script(self, model: str, written: bytes) -> None:
        """Make `model` behave as `written` (JSON) says. Raises pydantic's `ValidationError`."""
        behaviour = Behaviour.model_validate_json(written)
        if "latency" not in behaviour.model_fields_set:
            behaviour.latency = self._default.latency
        self.models[model] = behaviour
