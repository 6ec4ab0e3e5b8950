"""A planner splits a task, executors do the parts at once, a validator checks what they did."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Int
from continuo.patterns.base import Spec, check_placeholders, numbered
from continuo.patterns.choices import Concatenate, Merge, Merging
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step


class Orchestrate(Spec):
    """Let `planner` split the task into at most `max_subtasks`, of which `max_parallel` run at once.

    `executors` are in order, the free ones first and the paid one last: the next one is asked where one fails or where
    `validator` says no. A simple task, one without a `planner`, and one of which the planner makes no valid plan twice
    are one call of an executor. With `prefer_free` false a complex or expert task is given to the last executor first.
    `merge` makes one answer of the results that no other sub-task was given. The job's data may hold a list `tasks`,
    texts that are planned in one call.
    """

    kind: Literal["orchestrate"] = "orchestrate"
    planner: "Step | None" = None
    executors: tuple["Step", ...] = Field(min_length=1, max_length=10)
    validator: "Step | None" = None
    merge: Merging = Concatenate()
    max_subtasks: Int = Field(default=10, ge=1, le=100)
    max_parallel: Int = Field(default=5, ge=1, le=100)
    prefer_free: bool = True

    def nested(self) -> "Mapping[str, Step]":
        planner = {"plan": self.planner} if self.planner else {}
        validator = {"validate": self.validator} if self.validator else {}
        return {**planner, **numbered("executor", self.executors), **validator, **self._merge()}

    def answering(self) -> Iterable[str]:
        return () if self.validator else (*numbered("executor", self.executors), *self._merge())

    def given(self) -> "Iterable[Step]":
        return self.executors

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request if name.startswith("executor") else request.as_text()

    def worst(self, estimator: Estimator) -> Estimate:
        """Two plans, then every sub-task after the other with every executor, then the whole with all but the first."""
        checked = estimator.all((self.validator,) if self.validator else ())
        whole = estimator.all(self.executors) + checked.times(len(self.executors))
        if self.planner is None:
            return whole
        merged = estimator.all(self._merge().values()) + checked
        return estimator.all((self.planner,)).times(2) + whole.times(self.max_subtasks) + merged + whole

    def about(self, price: Callable[[str], str]) -> list[str]:
        if self.planner is None:
            return ["never split"]
        return [f"at most {self.max_subtasks} sub-tasks, {self.max_parallel} at once", self.merge.kind]

    def order(self, level: str) -> "dict[str, Step]":
        """The executors by their names, in the order in which they are asked for a task of this level."""
        named = numbered("executor", self.executors)
        if self.prefer_free or level not in ("complex", "expert"):
            return named
        *others, last = named
        return {name: named[name] for name in (last, *others)}

    def _merge(self) -> "dict[str, Step]":
        return {"merge": self.merge.step} if isinstance(self.merge, Merge) else {}

    @model_validator(mode="after")
    def _prompt_can_be_filled(self) -> Self:
        if isinstance(self.merge, Merge):
            check_placeholders("the prompt of merge", self.merge.prompt, ("input", "answers"))
        return self
