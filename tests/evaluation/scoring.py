"""Scores of texts, in one call."""

from typing import Any

from pydantic import TypeAdapter

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric
from continuo.evaluation.scores.scorer import Scorer
from continuo.jobs import Outcome

SCORERS: TypeAdapter[Metric] = TypeAdapter(Scorer)

TEXT_KINDS = ("exact", "normalised", "contains", "bleu", "chrf", "rouge-1", "rouge-2", "rouge-l", "rouge-lsum")
"""Those that compare the answer's text with a right one."""


def scored(kind: str, text: str, *right: Any, **fields: Any) -> Score:
    """What the metric says of an answer, by the right ones; it has checked before that it can."""
    metric, example = SCORERS.validate_python({"kind": kind, **fields}), Example(id="1", any_of=right)
    metric.check(example)
    return metric.score(Outcome(text=text, served_by="model"), example)


def value(kind: str, text: str, *right: Any, **fields: Any) -> float:
    return scored(kind, text, *right, **fields).value
