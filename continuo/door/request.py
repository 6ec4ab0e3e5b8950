"""What somebody asks, once or in a batch."""

from typing import NamedTuple, Self

from pydantic import JsonValue, model_validator

from continuo.data import Data
from continuo.jobs import Name
from continuo.messages import Message
from continuo.parameters import Parameters
from continuo.parts import Media
from continuo.patterns import Step


class Request(Data):
    """A `pattern` and its input: a prompt with or without `media` before it, media alone, messages, data, or data with
    one of these.

    `pattern` is a name, the path of a YAML file, `model:ID`, or a pattern itself, which `name` may name. Data alone is
    the prompt too, as JSON. `system` replaces the pattern's own instructions, and `parameters` win over those of its
    steps. With an `id` it is done once for this pattern and tenant, however often it is submitted; one that failed is
    run again. With `stream` the pieces of the answer are kept as they come, so that others can follow it, see
    `continuo.stores.streams`.
    """

    pattern: str | Step
    name: Name | None = None
    prompt: str | None = None
    media: tuple[Media, ...] = ()
    messages: tuple[Message, ...] = ()
    system: str | None = None
    parameters: Parameters = Parameters()
    data: dict[str, JsonValue] | None = None
    id: Name | None = None
    stream: bool = False

    @model_validator(mode="after")
    def _has_one_input(self) -> Self:
        if self.prompt is not None and self.messages:
            raise ValueError("give either a prompt or messages")
        if self.media and self.messages:
            raise ValueError("give the media as parts of the messages")
        if self.prompt is None and not self.media and not self.messages and self.data is None:
            raise ValueError("give a prompt, messages or data")
        return self

    @model_validator(mode="after")
    def _has_one_name(self) -> Self:
        if self.name is not None and isinstance(self.pattern, str):
            raise ValueError(f"pattern {self.pattern[:80]!r} has a name; leave out the other one, {self.name!r}")
        return self

    @property
    def turns(self) -> tuple[Message, ...]:
        """What is said: the messages, or the prompt as the only one."""
        return self.messages or (Message(role="user", content=self.prompt or ""),)

    @property
    def pattern_name(self) -> str:
        """What lists and reports call the pattern: one that is given itself and has no `name` is called by its kind."""
        return self.name or (self.pattern if isinstance(self.pattern, str) else self.pattern.kind)


class Line(NamedTuple):
    """The request of a batch's item, with the number of the line that it is from, and what its answer tells of it."""

    number: int
    request: Request
    echo: dict[str, JsonValue] = {}
