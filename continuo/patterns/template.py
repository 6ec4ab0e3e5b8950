"""A fixed text."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from continuo.patterns.base import Spec

SHOWN = 40
"""Characters of the text that are shown in few words."""


class Template(Spec):
    """A fixed answer, marked `fallback: true`: the last tier when no model can answer. `ruled` marks that of a rule,
    which the door makes and which stands in for nothing."""

    kind: Literal["template"] = "template"
    text: str = Field(min_length=1)
    ruled: Annotated[bool, Field(exclude_if=lambda value: not value)] = False

    def about(self, price: Callable[[str], str]) -> list[str]:
        text = " ".join(self.text.split())
        return [f'"{text}"' if len(text) <= SHOWN else f'"{text[:SHOWN].rstrip()}…"']
