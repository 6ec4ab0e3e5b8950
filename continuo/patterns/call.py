"""A request to a model."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from continuo.data import WHEN_SET, Int, Number, Seconds, duration
from continuo.parameters import Effort, Seed
from continuo.patterns.base import ModelName, Retry, Spec
from continuo.patterns.worst import Estimate, Estimator

OnBreak = Literal["error", "restart", "continue"]


class Call(Spec):
    """One request to one model.

    `model` is an id or an alias of the catalog. `timeout` is for one attempt. `system`, `max_tokens`,
    `temperature`, `top_p`, `stop`, `seed`, `reasoning_effort` and `cache_control` stand in where the request itself
    leaves them open.
    `replaces` is the model that is asked for and has retired, in whose place `model` is; it is filled in.
    `local` makes the call on the worker that runs the workflow, as a local activity: cheaper for a model that answers
    within seconds, and later to be cancelled.

    `on_break` says what follows when the worker dies, or the model breaks off, in mid-stream. As long as nothing was
    delivered, the answer is begun anew, as after any failure, whatever it says. Behind the first piece *error* ends the
    run, and so does *restart*, since no second answer follows a first; with *continue* the next attempt goes on behind
    the text that was delivered, which needs a model that `continues`, see the catalog.
    """

    kind: Literal["call"] = "call"
    model: ModelName
    replaces: Annotated[str | None, WHEN_SET] = None
    system: str | None = None
    max_tokens: Int | None = Field(default=None, gt=0, le=10_000_000)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Annotated[Number | None, WHEN_SET] = Field(default=None, ge=0, le=1)
    stop: Annotated[tuple[str, ...], WHEN_SET] = ()
    seed: Annotated[Seed | None, WHEN_SET] = None
    reasoning_effort: Annotated[Effort | None, WHEN_SET] = None
    cache_control: Annotated[Literal["5m", "1h"] | None, WHEN_SET] = None
    timeout: Seconds = 120.0
    retry: Retry = Retry()
    on_break: Annotated[OnBreak, Field(exclude_if=lambda value: value == "error")] = "error"
    local: bool = False

    streams: ClassVar[bool] = True

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.repeated(estimator.request(self.model, self.max_tokens, self.timeout), self.retry)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"{self.model} ({price(self.model)})", f"{self.retry.attempts} x {duration(self.timeout)}"]
