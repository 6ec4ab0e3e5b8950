"""A task split by a planner, done in parts by executors, and checked."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from continuo.data import WHEN_SET, Int
from continuo.patterns.base import ModelName, Spec, numbered
from continuo.patterns.call import Call
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step


class Orchestrate(Spec):
    """Let a planner split a task into subtasks, executors do them, and a validator check what they answer.

    `planner` is a paid model as a rule. `executors` are in the order in which they are tried, cheapest first: a subtask
    goes to the next one when one fails, or when the validator rejects its answer; the last one's is not checked. A
    simple task is not split but done by the executors whole; a moderate one neither, where `prefer_free` is true. An
    expert one, where it is false, is for the last executor alone. A plan has at most `subtasks`; one that cannot be
    used is sent back once, then the task is done whole.

    `merge` makes one answer of those of the subtasks; without it the answers on which no other depends follow each
    other. Several tasks are planned at once when the job's data has them as a list of texts, `tasks`.

    `against` is the model whose price all tokens are compared with; by default the planner's, if that is a call.
    """

    kind: Literal["orchestrate"] = "orchestrate"
    planner: "Step"
    executors: tuple["Step", ...] = Field(min_length=1, max_length=10)
    validator: Annotated["Step | None", WHEN_SET] = None
    merge: Annotated["Step | None", WHEN_SET] = None
    prefer_free: bool = True
    subtasks: Int = Field(default=8, ge=1, le=100)
    against: Annotated[ModelName | None, WHEN_SET] = None

    @property
    def dearest(self) -> str | None:
        """The model that the cost is compared with."""
        return self.against or (self.planner.model if isinstance(self.planner, Call) else None)

    def nested(self) -> "Mapping[str, Step]":
        last = {"validator": self.validator, "merge": self.merge}
        done = {name: step for name, step in last.items() if step is not None}
        return {"planner": self.planner, **numbered("executor", self.executors), **done}

    def given(self) -> "Iterable[Step]":
        return self.executors

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request if name.startswith("executor") else request.as_text()

    def worst(self, estimator: Estimator) -> Estimate:
        rounds = len(self.executors) if self.validator else 1
        planned = estimator.all([self.planner]).times(2)
        done = estimator.all(self.executors).times(self.subtasks * rounds)
        checked = estimator.all([self.validator]).times(rounds - 1) if self.validator else Estimate()
        # Of several tasks each is merged, and has a subtask at least.
        merged = estimator.all([self.merge]).times(self.subtasks) if self.merge else Estimate()
        return planned + done + checked + merged

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"at most {self.subtasks} subtasks", *(["simple and moderate tasks whole"] if self.prefer_free else [])]
