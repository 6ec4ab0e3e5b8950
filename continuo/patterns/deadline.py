"""A step with a time limit."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from continuo.data import Seconds, duration
from continuo.patterns.base import Spec, otherwise
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Deadline(Spec):
    """Cancel `step` after `limit`; then `otherwise` answers, or it fails with `DeadlineExceeded`."""

    kind: Literal["deadline"] = "deadline"
    step: "Step"
    limit: Seconds
    otherwise: "Step | None" = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"step": self.step, **otherwise(self.otherwise)}

    def answering(self) -> Iterable[str]:
        return self.nested()

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.within(self.step, self.limit) + estimator.all(otherwise(self.otherwise).values())

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"limit {duration(self.limit)}"]
