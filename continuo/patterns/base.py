"""What the specs of all patterns share."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from continuo.data import Data, Int, Number, Seconds
from continuo.errors import unknown

if TYPE_CHECKING:
    from continuo.patterns.choices import Combine
    from continuo.patterns.pipeline import Pipeline
    from continuo.patterns.step import Step
    from continuo.patterns.together import Ensemble, FanOut

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Spec(Data):
    """What all patterns share. `isolate: true` runs the step as a child workflow of its own."""

    isolate: bool = False

    def nested(self) -> "Mapping[str, Step]":
        """Every step directly below this one, by the name that its path, its workflow id and the UI show."""
        return {}

    def __or__(self, other: "Step") -> "FanOut":
        """Ask both at once; a further `|` adds a branch."""
        # Not above: what composes patterns knows them all, and each of them is a `Spec`.
        from continuo.patterns.composing import both

        return both(self, other)

    def __rshift__(self, other: "Step | Combine") -> "Pipeline | Ensemble":
        """Feed this step's answer into `other`; steps asked at once by `|` may be followed by how to combine them."""
        from continuo.patterns.composing import then

        return then(self, other)


class Retry(Data):
    """How often and when a transient failure is tried again.

    Attempt n+1 follows after `initial * factor**(n-1)` seconds, at most `maximum`, with a jitter of ±20 %;
    a provider's `Retry-After` takes precedence.
    """

    attempts: Int = Field(default=3, ge=1, le=1000)
    initial: Seconds = 1.0
    factor: Number = Field(default=2.0, ge=1, le=10)
    maximum: Seconds = 30.0


def numbered(word: str, steps: "Iterable[Step]") -> "dict[str, Step]":
    return {f"{word}{number}": step for number, step in enumerate(steps, 1)}


def otherwise(step: "Step | None") -> "dict[str, Step]":
    return {} if step is None else {"otherwise": step}


def check_unique(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two steps are called {name!r}; give each its own name")
        seen.add(name)


def check_placeholders(where: str, prompt: str | None, known: Iterable[str]) -> None:
    for name in PLACEHOLDER.findall(prompt or ""):
        if name not in known:
            raise unknown(f"placeholder in {where}:", name, known)
