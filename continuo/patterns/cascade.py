"""One step after the other until an answer is good enough."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from continuo.data import WHEN_SET, Number
from continuo.patterns.base import Spec, numbered

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step


class Cascade(Spec):
    """Ask the cheapest step first, and the next one while the answer's confidence is under its step's threshold.

    `thresholds` are in 0..1; the last of them holds for the steps after it, and the last step needs none. `judge` says
    in their place how sure each answer but the last step's is: a number in 0..1, or JSON with that as `confidence`. It
    is asked with the question and the answer, which are also the fields `question` and `answer` of its data.
    """

    kind: Literal["cascade"] = "cascade"
    steps: tuple["Step", ...] = Field(min_length=1)
    thresholds: tuple[Annotated[Number, Field(ge=0, le=1)], ...] = Field(default=(0.85, 0.80), min_length=1)
    judge: Annotated["Step | None", WHEN_SET] = None

    def nested(self) -> "Mapping[str, Step]":
        judges = (self.judge,) * (len(self.steps) - 1) if self.judge else ()
        return {**numbered("tier", self.steps), **numbered("judge", judges)}

    def given(self) -> "Iterable[Step]":
        return self.steps

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request.as_text() if name.startswith("judge") else request

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"confidence {', '.join(f'{one:g}' for one in self.thresholds)}"]
