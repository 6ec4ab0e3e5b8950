"""Steps that change the world, each with its way back."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Data
from continuo.patterns.base import Retry, Spec, check_unique
from continuo.patterns.choices import Name
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class SagaStep(Data):
    """A step that changes the world, and how to take it back.

    `undo` must be idempotent, and harmless if `do` never ran: it also runs when nobody knows whether `do` did.
    """

    name: Name
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

    def nested(self) -> "Mapping[str, Step]":
        do = {step.name: step.do for step in self.steps}
        return {**do, **{f"{step.name}.undo": step.undo for step in reversed(self.steps) if step.undo}}

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.all(step.do for step in self.steps) + self.undone(estimator)

    def undone(self, estimator: Estimator) -> Estimate:
        undo = (estimator.all([step.undo]) for step in self.steps if step.undo)
        return sum((estimator.repeated(once, self.undo_retry) for once in undo), Estimate())

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"an undo is run {self.undo_retry.attempts} times at most"]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_unique(step.name for step in self.steps)
        return self
