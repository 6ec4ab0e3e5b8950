"""One step after the other until one answers."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.patterns.base import Spec, numbered

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Fallback(Spec):
    """Try each step in order, best to acceptable; the first answer wins."""

    kind: Literal["fallback"] = "fallback"
    steps: tuple["Step", ...] = Field(min_length=1)

    def nested(self) -> "Mapping[str, Step]":
        return numbered("tier", self.steps)

    def answering(self) -> Iterable[str]:
        return self.nested()
