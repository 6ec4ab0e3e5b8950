"""A step that is asked no more than fits so many tokens."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Int
from continuo.patterns.agent import ModelCall
from continuo.patterns.base import Spec

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step


class Compress(Spec):
    """Leave the oldest turns out of what `step` is asked, so that its instructions, tools and turns are at most so many
    `tokens`, as far as these can be told.

    What the user said last and the last `keep` turns stay, even where these alone are more. `summary` sums up what is
    left out in at most a quarter of the tokens: a cheap model as a rule; where it fails nothing stands for that. A turn
    is one message, or an answer of the model with the results of the tools that it called.
    """

    kind: Literal["compress"] = "compress"
    step: "Step"
    tokens: Int = Field(ge=100, le=10_000_000)
    keep: Int = Field(default=1, ge=1, le=1000)
    summary: ModelCall | None = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"step": self.step, **({"summary": self.summary} if self.summary else {})}

    def answering(self) -> Iterable[str]:
        return ("step",)

    def given(self) -> "Iterable[Step]":
        return (self.step,)

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        if name == "step":
            return request
        # Providers take calls of tools back with the tools alone.
        tools = {"tools": request.tools, "tool_choice": "none" if request.tools else None}
        return request.as_text().model_copy(update={**tools, "max_tokens": None, "rated": False})

    def about(self, price: Callable[[str], str]) -> list[str]:
        turns = "the last turn" if self.keep == 1 else f"the last {self.keep} turns"
        return [f"at most {self.tokens:,} tokens", f"keeps {turns}"]
