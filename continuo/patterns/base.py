"""What the specs of all patterns share, and what each may say of itself."""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from continuo.data import Data, Int, Number, Seconds
from continuo.errors import unknown
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.choices import Combine
    from continuo.patterns.ensemble import Ensemble
    from continuo.patterns.fan_out import FanOut
    from continuo.patterns.pipeline import Pipeline
    from continuo.patterns.step import Step

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class _NamesModel:
    """Marks a field that holds the id or alias of a model."""


NAMES_MODEL = _NamesModel()

ModelName = Annotated[str, NAMES_MODEL]
"""An id or an alias of the catalog. Before a run the model that answers here takes its place."""


class Spec(Data):
    """What all patterns share. `isolate: true` runs the step as a child workflow of its own.

    A pattern is one subclass in a file of its own in this folder, and its workflow one of the same name in
    `continuo/workflows`. Nothing else names it: what others must know of it stands here, to be overridden.
    """

    isolate: bool = False
    kind: str

    streams: ClassVar[bool] = False
    """Whether it gives an answer of its own piece by piece, and not only what a nested step answers."""

    def nested(self) -> "Mapping[str, Step]":
        """Every step directly below this one, by the name that its path, its workflow id and the UI show.

        A pattern that does not override it is a leaf.
        """
        return {}

    def answering(self) -> Iterable[str]:
        """The names, among the nested steps, of those whose answer may be this step's own answer, word for word.

        Which of them it will be is known in the run alone. None where every answer is judged or changed first.
        """
        return ()

    def given(self) -> "Iterable[Step]":
        """The nested steps that are asked what this step is asked, and not a prompt that it makes of texts."""
        return self.nested().values()

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        """The request that the nested step `name` gets of this step's, whose messages may be others."""
        return request

    def written(self, name: str) -> Set[str] | None:
        """The fields of the data of the nested step `name`, where a model writes them in the run; None where it has
        this step's own data."""
        return None

    def worst(self, estimator: Estimator) -> Estimate:
        """What it takes at worst: by default all nested steps, one after the other."""
        return estimator.all(self.nested().values())

    def undone(self, estimator: Estimator) -> Estimate:
        """What it takes at worst to clean up after a cancellation, without its nested steps' own."""
        return Estimate()

    def about(self, price: Callable[[str], str]) -> list[str]:
        """Its numbers in few words, for people; `price` tells what a model costs."""
        return []

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
