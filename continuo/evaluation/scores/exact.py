"""Whether an answer is the right one, letter by letter."""

from typing import Literal

from continuo.evaluation.examples import Score
from continuo.evaluation.scores.base import TextMetric, passed


class Exact(TextMetric):
    """1 where the answer is a right one, apart from white space around it, else 0."""

    kind: Literal["exact"] = "exact"

    def compared(self, text: str, wanted: str) -> Score:
        return passed(text.strip() == wanted.strip())
