"""Whether an answer ends with the right number."""

from math import isfinite
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Number as Float
from continuo.decisions.vote import numbers
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric, lacking, passed, right_texts
from continuo.jobs import Outcome

Tolerance = Annotated[Float, Field(ge=0)]


class Number(Metric):
    """1 where the last number that the answer names is a right one, else 0.

    It may be off by `absolute`, or by so much of the right number as `relative` says (.01 is a hundredth).
    """

    kind: Literal["number"] = "number"
    absolute: Tolerance = 0.0
    relative: Tolerance = 1e-9

    def check(self, example: Example) -> None:
        self._right(example)

    def score(self, outcome: Outcome, example: Example) -> Score:
        right = self._right(example)
        number = last(outcome.text)
        if number is None:
            return Score(value=0, why="it names no number")
        return passed(any(self._near(number, one) for one in right), why=f"it ends with {number:g}")

    def _near(self, number: float, right: float) -> bool:
        return abs(number - right) <= max(self.absolute, self.relative * abs(right))

    def _right(self, example: Example) -> list[float]:
        texts = right_texts(self, example)
        right = [number for one in texts if (number := last(one)) is not None and isfinite(number)]
        if len(right) < len(texts):
            raise lacking(self, example, "has a right answer without a number; write one, such as 42 or 1,200.50")
        return right


def last(text: str) -> float | None:
    """The last number in the text; infinite where no float is as large."""
    named = list(numbers(text))
    return named[-1] if named else None
