"""A pattern that is composed when the run begins."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Data, Number, Seconds, duration
from continuo.patterns.agent import ModelCall
from continuo.patterns.base import Spec
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step

TRIES = 2
"""How often a model is asked for a pattern: once more where the first one cannot be used."""

MAX_CALLS = 100
"""Requests to models that a composed pattern may take at worst."""


MAX_TEXT = 20_000
"""Characters of a pattern that a model writes."""


class Limits(Data):
    """What a composed pattern may take at worst, for one request: `cost_usd` in USD, and `seconds`."""

    cost_usd: Number = Field(default=1.0, gt=0, le=1e6)
    seconds: Seconds = 600.0


class Auto(Spec):
    """Compose a pattern out of the catalog's models when the run begins, and run it as a child workflow.

    `wish` says in words what it is for; the question that the run is asked takes no part in it. The model of `by`
    writes the pattern, and is told its mistake once; rules compose it where that writes none that can be used, and
    without `by`. Nothing runs that is not checked: only steps that ask models, only these `models` (ids or aliases of
    the catalog; by default all that can be used here), and never more than the `limits` at worst.
    """

    kind: Literal["auto"] = "auto"
    wish: str = Field(min_length=1, max_length=4000)
    by: ModelCall | None = None
    models: tuple[str, ...] = Field(default=(), max_length=100)
    limits: Limits = Limits()

    def nested(self) -> "Mapping[str, Step]":
        return {"compose": self.by} if self.by else {}

    def given(self) -> "Iterable[Step]":
        return ()

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request.as_text()

    def worst(self, estimator: Estimator) -> Estimate:
        composed = Estimate(calls=MAX_CALLS, cost_usd=self.limits.cost_usd, seconds=self.limits.seconds)
        return estimator.all(self.nested().values()).times(TRIES) + composed

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"at most ${self.limits.cost_usd:g}", str(duration(self.limits.seconds))]
