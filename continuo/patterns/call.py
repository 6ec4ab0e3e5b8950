"""What reaches out, or answers by itself: a model, a service, a fixed text."""

from typing import Annotated, Literal

from pydantic import Field

from continuo.data import WHEN_SET, Int, Number, Seconds
from continuo.parameters import Effort, Seed
from continuo.patterns.base import Retry, Spec


class Call(Spec):
    """One request to one model.

    `model` is an id or an alias of the catalog. `timeout` is for one attempt. `system`, `max_tokens`,
    `temperature`, `top_p`, `stop`, `seed` and `reasoning_effort` stand in where the request itself leaves them open.
    `local` makes the call on the worker that runs the workflow, as a local activity: cheaper for a model that answers
    within seconds, and later to be cancelled.
    """

    kind: Literal["call"] = "call"
    model: str
    system: str | None = None
    max_tokens: Int | None = Field(default=None, gt=0, le=10_000_000)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Annotated[Number | None, WHEN_SET] = Field(default=None, ge=0, le=1)
    stop: Annotated[tuple[str, ...], WHEN_SET] = ()
    seed: Annotated[Seed | None, WHEN_SET] = None
    reasoning_effort: Annotated[Effort | None, WHEN_SET] = None
    timeout: Seconds = 120.0
    retry: Retry = Retry()
    local: bool = False


class Template(Spec):
    """A fixed answer, marked `fallback: true`: the last tier when no model can answer."""

    kind: Literal["template"] = "template"
    text: str = Field(min_length=1)


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
