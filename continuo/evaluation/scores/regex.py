"""Whether an answer matches a regular expression."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from continuo.evaluation.examples import Example, Score, encodable
from continuo.evaluation.scores.base import Metric, lacking, passed, right_answers
from continuo.jobs import Outcome
from continuo.regex import Regex as Compiled
from continuo.regex import compiled


def _compilable(pattern: str) -> str:
    compiled(pattern)
    return pattern


class Regex(Metric):
    """1 where `pattern`, or without one a right answer of the example, matches somewhere in the answer's text, else 0.

    It is matched in linear time: without groups that are referred to.
    """

    kind: Literal["regex"] = "regex"
    pattern: Annotated[str, AfterValidator(_compilable)] | None = None

    def check(self, example: Example) -> None:
        self._compiled(example)

    def score(self, outcome: Outcome, example: Example) -> Score:
        text = encodable(outcome.text)
        return passed(any(one.search(text) for one in self._compiled(example)))

    def _compiled(self, example: Example) -> list[Compiled]:
        patterns = [self.pattern] if self.pattern is not None else right_answers(self, example)
        if not all(isinstance(one, str) for one in patterns):
            raise lacking(self, example, "has a right answer that is no text; write a regular expression")
        try:
            return [compiled(str(one)) for one in patterns]
        except ValueError as wrong:
            raise lacking(self, example, f"expects what cannot be matched: {wrong}") from None
