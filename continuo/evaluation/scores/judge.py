"""How well an answer does in the eyes of a model."""

from typing import Literal

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.judge import Scale, graded, grading
from continuo.evaluation.scores.base import AskingMetric, lacking, right_texts
from continuo.jobs import Outcome
from continuo.messages import ModelRequest


class Judge(AskingMetric):
    """The grade that `pattern` gives by a rubric, the example's own or else `rubric`: from 1 (0 here) to 5 (1 here), or
    pass and fail."""

    kind: Literal["judge"] = "judge"
    scale: Scale = "grade"
    rubric: str | None = None

    def check(self, example: Example) -> None:
        self._rubric(example)

    def request(self, outcome: Outcome, example: Example) -> ModelRequest:
        right = right_texts(self, example) if example.expected is not None or example.any_of else ()
        expected = "\n\nor:\n\n".join(right) or None
        return grading(self._rubric(example), example.prompt, expected, outcome.text, self.scale)

    def score(self, outcome: Outcome, example: Example) -> Score:
        return graded(outcome.text, self.scale)

    def _rubric(self, example: Example) -> str:
        rubric = example.rubric or self.rubric
        if not rubric:
            raise lacking(self, example, "has no rubric; write `rubric`, there or for the judge")
        return rubric
