"""Traffic between variants."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Data, Number
from continuo.patterns.base import Spec
from continuo.patterns.choices import Name
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Variant(Data):
    """A share of the traffic: its `weight` over the sum of all weights."""

    weight: Number = Field(default=1.0, gt=0, le=1e6)
    step: "Step"


class Split(Spec):
    """Send each job to one of the variants, by weight; copies to the shadows never change or delay the answer.

    `sticky` keeps a user, or a session, at one variant; a job without one is sent at random.
    """

    kind: Literal["split"] = "split"
    variants: dict[Name, Variant] = Field(min_length=1)
    shadow: "dict[Name, Step]" = {}
    sticky: Literal["user", "session"] = "user"

    def nested(self) -> "Mapping[str, Step]":
        return {**self._variants(), **{f"shadow.{name}": step for name, step in self.shadow.items()}}

    def answering(self) -> Iterable[str]:
        return self.variants

    def worst(self, estimator: Estimator) -> Estimate:
        shadows = estimator.together(self.shadow.values()).model_copy(update={"seconds": 0.0})
        return estimator.any(self._variants().values()) + shadows

    def about(self, price: Callable[[str], str]) -> list[str]:
        total = sum(variant.weight for variant in self.variants.values())
        return [", ".join(f"{name} {variant.weight / total:.0%}" for name, variant in self.variants.items())]

    def _variants(self) -> "dict[str, Step]":
        return {name: variant.step for name, variant in self.variants.items()}
