"""Whether an answer is better than another one, in the eyes of a model."""

from typing import Literal

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.judge import comparing, preferred
from continuo.evaluation.scores.base import PatternMetric
from continuo.evaluation.scores.judge import right_of, rubric_of
from continuo.jobs import Outcome
from continuo.messages import ModelRequest

TIE = Score(value=0.5)


class Preference(PatternMetric):
    """1 where `pattern` prefers an answer to that of the first pattern of the evaluation, by the example's rubric or
    else `rubric`; 0 where it prefers that one, and .5 where it does so in one order of the two alone, or in none."""

    kind: Literal["preference"] = "preference"
    rubric: str | None = None

    def check(self, example: Example) -> None:
        rubric_of(self, self.rubric, example)

    def requests(self, outcome: Outcome, first: Outcome, example: Example) -> tuple[ModelRequest, ModelRequest]:
        """What is asked: the answer that is scored before that of the first pattern, and behind it."""
        rubric = rubric_of(self, self.rubric, example)
        return comparing(rubric, example.prompt, right_of(self, example), outcome.text, first.text)

    def scored(self, before: Outcome, behind: Outcome) -> Score:
        """By what is answered to both. Raises `NoScore`."""
        return Score(value={"first": 1.0, "tie": 0.5, "second": 0.0}[preferred(before.text, behind.text)])
