"""Named branches at once, and what becomes of their answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Int, Seconds, duration
from continuo.patterns.base import Spec, check_placeholders
from continuo.patterns.choices import Collect, Merge, Merging, Name
from continuo.patterns.worst import Estimate, Estimator

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
        return {**self.branches, **self._merge()}

    def answering(self) -> Iterable[str]:
        return self._merge()

    def given(self) -> "Iterable[Step]":
        return self.branches.values()

    def worst(self, estimator: Estimator) -> Estimate:
        branches = estimator.together(self.branches.values(), self.branch_timeout)
        return branches + estimator.all(self._merge().values())

    def about(self, price: Callable[[str], str]) -> list[str]:
        needed = self.min_successes or len(self.branches)
        limit = [f"{duration(self.branch_timeout)} a branch"] if self.branch_timeout else []
        return [self.merge.kind, f"{needed} of {len(self.branches)} must answer", *limit]

    def _merge(self) -> "dict[str, Step]":
        return {"merge": self.merge.step} if isinstance(self.merge, Merge) else {}

    @model_validator(mode="after")
    def _can_succeed(self) -> Self:
        if self.min_successes is not None and self.min_successes > len(self.branches):
            raise ValueError(f"min_successes is {self.min_successes}, more than there are branches; lower it")
        if isinstance(self.merge, Merge):
            check_placeholders("the prompt of merge", self.merge.prompt, ("input", "answers", *self.branches))
        return self
