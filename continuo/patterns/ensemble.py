"""Several members asked the same, and how they come to one answer."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.patterns.base import Spec, check_placeholders, numbered, otherwise
from continuo.patterns.choices import Combining, Majority, Meta, UnanimousOrWeighted, WeightedVote
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step


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
        return {**numbered("member", self.members), **self._last()}

    def answering(self) -> Iterable[str]:
        return self._last()

    def given(self) -> "Iterable[Step]":
        return (*self.members, *otherwise(self.otherwise).values())

    def worst(self, estimator: Estimator) -> Estimate:
        # With answers the one decides, without any the other.
        return estimator.together(self.members) + estimator.any(self._last().values())

    def about(self, price: Callable[[str], str]) -> list[str]:
        combine = self.combine
        if isinstance(combine, Majority):
            return [f"majority, quorum {self.quorum} of {len(self.members)}"]
        if isinstance(combine, WeightedVote) and combine.weights:
            return [f"weighted_vote, weights {', '.join(f'{one:g}' for one in combine.weights)}"]
        return [combine.kind]

    @property
    def quorum(self) -> int:
        """How many must agree: what the spec says, or more than half of the members."""
        said = self.combine.quorum if isinstance(self.combine, Majority) else None
        return said or len(self.members) // 2 + 1

    def _last(self) -> "dict[str, Step]":
        merge = {"merge": self.combine.step} if isinstance(self.combine, Meta) else {}
        return {**merge, **otherwise(self.otherwise)}

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
