"""How well an answer does in the eyes of a model."""

from typing import Literal

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.judge import Scale, graded, grading
from continuo.evaluation.scores.base import AskingMetric, Metric, lacking, right_texts
from continuo.jobs import Outcome
from continuo.messages import ModelRequest


class Judge(AskingMetric):
    """The grade that `pattern` gives by a rubric, the example's own or else `rubric`: from 1 (0 here) to 5 (1 here), or
    pass and fail."""

    kind: Literal["judge"] = "judge"
    scale: Scale = "grade"
    rubric: str | None = None

    def check(self, example: Example) -> None:
        rubric_of(self, self.rubric, example)

    def request(self, outcome: Outcome, example: Example) -> ModelRequest:
        rubric = rubric_of(self, self.rubric, example)
        return grading(rubric, example.prompt, right_of(self, example), outcome.text, self.scale)

    def score(self, outcome: Outcome, example: Example) -> Score:
        return graded(outcome.text, self.scale)


def rubric_of(metric: Metric, own: str | None, example: Example) -> str:
    """What an example is judged by. Raises `InputError` where neither it nor the metric says so."""
    rubric = example.rubric or own
    if not rubric:
        raise lacking(metric, example, f"has no rubric; write `rubric`, there or for the {metric.kind}")
    return rubric


def right_of(metric: Metric, example: Example) -> str | None:
    """All right answers as one text for a judge; None where there is none."""
    right = right_texts(metric, example) if example.expected is not None or example.any_of else ()
    return "\n\nor:\n\n".join(right) or None
