"""Whether an answer says the right thing among other things."""

from typing import Literal

from continuo.decisions.folding import Phrases, folded
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import TextMetric, lacking, passed, right_texts


class Contains(TextMetric):
    """1 where a right answer stands in the text, in whole words and without regard to case, accents and white space,
    else 0."""

    kind: Literal["contains"] = "contains"

    def check(self, example: Example) -> None:
        try:
            Phrases(right_texts(self, example))
        except ValueError as wrong:
            raise lacking(self, example, f"cannot be looked for: {wrong}") from None

    def compared(self, text: str, wanted: str) -> Score:
        return passed(Phrases([wanted]).first_in(folded(text)) is not None)
