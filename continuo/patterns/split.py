"""Traffic between variants."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from continuo.data import WHEN_SET, Data, Int, Number
from continuo.patterns.base import Spec
from continuo.patterns.choices import Name
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Variant(Data):
    """A share of the traffic: its `weight` over the sum of all weights."""

    weight: Number = Field(default=1.0, gt=0, le=1e6)
    step: "Step"


class Adaptive(Data):
    """The weights follow what is said of the answers and what they cost: most traffic goes where a dollar brings the
    most quality.

    Each variant keeps a share of `floor`, of 1 for all, and gets no more once its quality (0..1) is below `min_quality`
    with 95 % certainty. The last `window` answers that were rated count: within as many is left what turns bad.
    Nothing is shifted before each variant has `least` ratings among them.
    """

    floor: Number = Field(default=0.02, ge=0, le=0.5)
    min_quality: Number = Field(default=0.0, ge=0, le=1)
    window: Int = Field(default=500, ge=10, le=100_000)
    least: Int = Field(default=10, ge=1, le=10_000)


class Split(Spec):
    """Send each job to one of the variants, by weight; copies to the shadows never change or delay the answer.

    `sticky` keeps a user, or a session, at one variant; a job without one is sent at random. With `adaptive` the
    weights are those to begin with.
    """

    kind: Literal["split"] = "split"
    variants: dict[Name, Variant] = Field(min_length=1)
    shadow: "dict[Name, Step]" = {}
    sticky: Literal["user", "session"] = "user"
    adaptive: Annotated[Adaptive | None, WHEN_SET] = None

    @model_validator(mode="after")
    def _can_adapt(self) -> Self:
        if self.adaptive is None:
            return self
        floor, window, least = self.adaptive.floor, self.adaptive.window, self.adaptive.least
        if floor * len(self.variants) > 1:
            raise ValueError(f"adaptive: a floor of {floor:g} for each of {len(self.variants)} is over 1; lower it")
        rarest = min(self.variants, key=lambda name: self.variants[name].weight)
        if (own := window * self.weights[rarest] / sum(self.weights.values())) < least:
            what = f"of the last {window} some {own:.1f} are of {rarest!r}, and {least} are needed to shift"
            raise ValueError(f"adaptive: {what}; raise its weight or the window, or lower least")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """The weights as they were written."""
        return {name: variant.weight for name, variant in self.variants.items()}

    def nested(self) -> "Mapping[str, Step]":
        return {**self._variants(), **{f"shadow.{name}": step for name, step in self.shadow.items()}}

    def answering(self) -> Iterable[str]:
        return self.variants

    def worst(self, estimator: Estimator) -> Estimate:
        shadows = estimator.together(self.shadow.values()).model_copy(update={"seconds": 0.0})
        return estimator.any(self._variants().values()) + shadows

    def about(self, price: Callable[[str], str]) -> list[str]:
        total = sum(self.weights.values())
        shares = ", ".join(f"{name} {weight / total:.0%}" for name, weight in self.weights.items())
        return [shares] if self.adaptive is None else [f"{shares}, adaptive"]

    def _variants(self) -> "dict[str, Step]":
        return {name: variant.step for name, variant in self.variants.items()}
