"""Traffic between variants."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Data, Number
from continuo.patterns.base import Spec
from continuo.patterns.choices import Name

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
        variants = {name: variant.step for name, variant in self.variants.items()}
        return {**variants, **{f"shadow.{name}": step for name, step in self.shadow.items()}}
