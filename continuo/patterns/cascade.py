"""One step after the other until an answer is good enough."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from continuo.data import Number
from continuo.patterns.base import Spec, numbered

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Cascade(Spec):
    """Ask the cheapest step first, and the next one while the answer's confidence is under its step's threshold.

    `thresholds` are in 0..1; the last of them holds for the steps after it, and the last step needs none.
    """

    kind: Literal["cascade"] = "cascade"
    steps: tuple["Step", ...] = Field(min_length=1)
    thresholds: tuple[Annotated[Number, Field(ge=0, le=1)], ...] = Field(default=(0.85, 0.80), min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return numbered("tier", self.steps)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"confidence {', '.join(f'{one:g}' for one in self.thresholds)}"]
