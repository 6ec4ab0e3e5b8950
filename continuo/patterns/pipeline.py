"""Steps in order, each fed what those before it answered."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Data
from continuo.patterns.base import Spec, check_placeholders, check_unique
from continuo.patterns.choices import Name

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class PipelineStep(Data):
    """A step and what it is asked: `prompt` may hold `{input}`, `{previous}` and the `{name}` of any step before.

    Without a `prompt` the first step is asked what the pipeline is asked, and each other one `{previous}`.
    """

    name: Name
    prompt: str | None = Field(default=None, min_length=1)
    step: "Step"


class Pipeline(Spec):
    """Run the steps in order, each fed what those before it answered."""

    kind: Literal["pipeline"] = "pipeline"
    steps: tuple[PipelineStep, ...] = Field(min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return {step.name: step.step for step in self.steps}

    def answering(self) -> Iterable[str]:
        return (self.steps[-1].name,)

    def given(self) -> "Iterable[Step]":
        first = self.steps[0]
        return (first.step,) if first.prompt is None else ()

    @model_validator(mode="after")
    def _prompts_can_be_filled(self) -> Self:
        check_unique(step.name for step in self.steps)
        known = ["input"]
        for number, step in enumerate(self.steps):
            check_placeholders(f"the prompt of step {step.name!r}", step.prompt, known)
            known += [step.name] if number else [step.name, "previous"]
        return self
