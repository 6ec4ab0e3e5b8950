"""What every scorer has: the right answers of an example, what they are compared with, and what is no score."""

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, JsonValue

from continuo.data import Data
from continuo.errors import InputError
from continuo.evaluation.examples import Example, Score
from continuo.jobs import Outcome
from continuo.messages import ModelRequest


class NoScore(Exception):
    """An answer cannot be scored, for a reason in one line. It counts in no mean: it is no 0."""


class Metric(Data):
    """A way to score one answer to one example. A report shows it by its `name`: its `label`, or else what it is."""

    kind: str
    label: Annotated[str, Field(pattern=r"^\S[^\r\n]{0,39}$")] | None = None

    @property
    def name(self) -> str:
        return self.label or self.kind

    def check(self, example: Example) -> None:
        """Raise `InputError` where a score needs what the example, or the project, lacks: before anything runs."""

    def score(self, outcome: Outcome, example: Example) -> Score:
        """Raises `NoScore`, and `InputError` as `check` does."""
        raise NotImplementedError


class PatternMetric(Metric):
    """A metric that asks `pattern`, by its name or as `model:ID`."""

    pattern: str = Field(min_length=1)


class AskingMetric(PatternMetric):
    """One that asks about each answer by itself: `score` takes the outcome of `pattern` for `request`."""

    def request(self, outcome: Outcome, example: Example) -> ModelRequest:
        """What is asked about the outcome that is to be scored."""
        raise NotImplementedError


class TextMetric(Metric):
    """Compares the answer's text with each right one, of which the best counts."""

    def check(self, example: Example) -> None:
        right_texts(self, example)

    def score(self, outcome: Outcome, example: Example) -> Score:
        wanted = right_texts(self, example)
        if outcome.text in wanted:
            return Score(value=1)
        return max((self.compared(outcome.text, one) for one in wanted), key=lambda score: score.value)

    def compared(self, text: str, wanted: str) -> Score:
        """How well `text` says what is `wanted`; the two differ."""
        raise NotImplementedError


def right_answers(metric: Metric, example: Example) -> Sequence[JsonValue]:
    """All of them. Raises `InputError` where there is none."""
    if example.expected is not None:
        return (example.expected, *example.any_of)
    if not example.any_of:
        raise lacking(metric, example, "has no right answer; write `expected`, or `any_of` with several")
    return example.any_of


def right_texts(metric: Metric, example: Example) -> Sequence[str]:
    """The same as texts: what is none is written as JSON. Raises `InputError` where there is none."""
    answers = right_answers(metric, example)
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in answers]


def passed(right: bool, why: str = "") -> Score:
    """1 for what is right, else 0."""
    return Score(value=float(right), why=why)


def lacking(metric: Metric, example: Example, what: str) -> InputError:
    return InputError(f"example {example.id[:80]!r}: scored by {metric.name}, it {what}")
