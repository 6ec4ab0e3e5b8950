"""Several steps at once, and what becomes of their answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Int, Seconds
from continuo.patterns.base import Spec, check_placeholders, numbered, otherwise
from continuo.patterns.choices import (
    Collect,
    Combining,
    Majority,
    Merge,
    Merging,
    Meta,
    Name,
    UnanimousOrWeighted,
    WeightedVote,
)

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class FanOut(Spec):
    """Run named branches at once, each as a child workflow unless `inline`, and merge their answers.

    `min_successes` (default: all) is how many must answer; with some missing the outcome is partial.
    `branch_timeout` cancels only the branch that takes longer.
    """

    kind: Literal["fan_out"] = "fan_out"
    branches: "dict[Name, Step]" = Field(min_length=1)
    merge: Merging = Collect()
    min_successes: Int | None = Field(default=None, ge=1, le=10_000)
    branch_timeout: Seconds | None = None
    inline: bool = False

    def nested(self) -> "Mapping[str, Step]":
        return {**self.branches, **({"merge": self.merge.step} if isinstance(self.merge, Merge) else {})}

    @model_validator(mode="after")
    def _can_succeed(self) -> Self:
        if self.min_successes is not None and self.min_successes > len(self.branches):
            raise ValueError(f"min_successes is {self.min_successes}, more than there are branches; lower it")
        if isinstance(self.merge, Merge):
            check_placeholders("the prompt of merge", self.merge.prompt, ("input", "answers", *self.branches))
        return self


class Ensemble(Spec):
    """Ask several members the same, each as a child workflow unless `inline`, and combine what they answer.

    `otherwise` runs when they come to no decision.
    """

    kind: Literal["ensemble"] = "ensemble"
    members: tuple["Step", ...] = Field(min_length=2)
    combine: Combining = UnanimousOrWeighted()
    otherwise: "Step | None" = None
    inline: bool = False

    def nested(self) -> "Mapping[str, Step]":
        merge = {"merge": self.combine.step} if isinstance(self.combine, Meta) else {}
        return {**numbered("member", self.members), **merge, **otherwise(self.otherwise)}

    @model_validator(mode="after")
    def _can_be_combined(self) -> Self:
        count = len(self.members)
        if isinstance(self.combine, Majority) and (self.combine.quorum or 1) > count:
            raise ValueError(f"quorum is {self.combine.quorum}, more than there are members; lower it")
        if isinstance(self.combine, WeightedVote) and len(self.combine.weights or self.members) != count:
            raise ValueError(f"weights must be {count}, one for each member")
        if isinstance(self.combine, Meta):
            check_placeholders("the prompt of meta", self.combine.prompt, ("input", "answers"))
        return self
