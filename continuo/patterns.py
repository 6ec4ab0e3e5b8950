"""Every pattern as data: frozen specs, told apart by `kind`, that nest in each other."""

from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Data, Seconds


class Spec(Data):
    """What all patterns share. `isolate: true` runs the step as a child workflow of its own."""

    isolate: bool = False


class Retry(Data):
    """How often and when a transient failure is tried again.

    Attempt n+1 follows after `initial * factor**(n-1)` seconds, at most `maximum`, with a jitter of ±20 %;
    a provider's `Retry-After` takes precedence.
    """

    attempts: int = Field(default=3, ge=1)
    initial: Seconds = 1.0
    factor: float = Field(default=2.0, ge=1, le=10)
    maximum: Seconds = 30.0


class Call(Spec):
    """One request to one model.

    `model` is an id or an alias of the catalog. `timeout` is for one attempt. `system`, `max_tokens` and
    `temperature` stand in where the request itself leaves them open.
    """

    kind: Literal["call"] = "call"
    model: str
    system: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    timeout: Seconds = 120.0
    retry: Retry = Retry()


class Template(Spec):
    """A fixed answer, marked `fallback: true`: the last tier when no model can answer."""

    kind: Literal["template"] = "template"
    text: str = Field(min_length=1)


class Fallback(Spec):
    """Try each step in order, best to acceptable; the first answer wins."""

    kind: Literal["fallback"] = "fallback"
    steps: tuple["Step", ...] = Field(min_length=1)


class Http(Spec):
    """One request to a service of the catalog, with an idempotency key that is the same on every attempt.

    `path` may hold `{placeholders}`: a field of the job's data, or `{saga}`, the identity of the saga that runs it.
    The body is the job's data as JSON; the answer's text is the response's body. A status from 200 to 299 is success.
    """

    kind: Literal["http"] = "http"
    service: str
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = Field(pattern="^/")
    timeout: Seconds = 10.0
    retry: Retry = Retry()


class SagaStep(Data):
    """A step that changes the world, and how to take it back.

    `undo` must be idempotent, and harmless if `do` never ran: it also runs when nobody knows whether `do` did.
    """

    name: str = Field(min_length=1)
    do: "Step"
    undo: "Step | None" = None


class Saga(Spec):
    """Run the steps in order; when one fails or the run is cancelled, undo in reverse order what may have happened.

    An undo that fails is run again as `undo_retry` says, on top of its own retries, then parked for a person.
    """

    kind: Literal["saga"] = "saga"
    isolate: Literal[True] = True
    undo_retry: Retry = Retry(attempts=10, maximum=300.0)
    steps: tuple[SagaStep, ...] = Field(min_length=1)


Step = Annotated[Call | Template | Fallback | Http | Saga, Field(discriminator="kind")]

for spec in (Fallback, SagaStep, Saga):
    spec.model_rebuild()
