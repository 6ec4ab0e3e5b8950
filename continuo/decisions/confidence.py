"""How sure a model is of its answer, in 0..1."""

import json
import re
from collections.abc import Sequence
from math import exp, fsum, inf, isnan, nan
from typing import Any

from continuo.data import Data
from continuo.messages import ModelResponse

UNKNOWN = 0.5
"""How sure an answer counts that does not say."""

INSTRUCTION = (
    "End your answer with a line of its own that says how sure you are that the answer is right, "
    "in exactly this form, where x is a number from 0 (a guess) to 1 (certain):\nCONFIDENCE: x"
)
"""What is added to the instructions of a model whose provider cannot tell."""

JUDGE = (
    "Judge the answer to the question. Write how sure it is that the answer is right and complete, "
    "as a number from 0 (wrong) to 1 (certain), and nothing else."
)
"""The instructions of a model that judges another's answer."""

# Models set the line in bold, quote it, or write it in another case.
_LINE = re.compile(r"[\s>*_#`-]*confidence[*_`]*\s*[:=](.*)", re.IGNORECASE)
_BEGINNING = re.compile(
    r"[\s>*_#`-]*(?:c(?:o(?:n(?:f(?:i(?:d(?:e(?:n(?:c(?:e.*)?)?)?)?)?)?)?)?)?)?", re.IGNORECASE | re.DOTALL
)
_FENCE = re.compile(r"```\w*\n(.*)\n```", re.DOTALL)


class Rating(Data):
    """How sure an answer is, and how sure it has to be, in 0..1."""

    confidence: float
    threshold: float

    @property
    def enough(self) -> bool:
        return self.confidence >= self.threshold


def rating(confidence: float | None, threshold: float) -> Rating:
    """The rating of an answer; one without a confidence counts as `UNKNOWN`."""
    return Rating(confidence=UNKNOWN if confidence is None else confidence, threshold=threshold)


def rated(response: ModelResponse) -> tuple[str, float]:
    """The answer's text without the line that rates it, and how sure the model is.

    The first of these that there is: a number `confidence` in an answer that is a JSON object, what the provider
    itself says, the line; else `UNKNOWN`.
    """
    text, written = _split(response.message.text)
    confidences = (confidence_in(text), response.confidence, written)
    return text, next((one for one in confidences if one is not None), UNKNOWN)


class Unrated:
    """A text that comes in pieces, without what may yet be the line that rates it, nor the space before that."""

    def __init__(self) -> None:
        self._held = ""
        self._in_line = False

    def shown(self, piece: str) -> str:
        """What is surely of the answer, and was not before this piece."""
        text = self._held + piece
        answer, newline, last = text.rstrip().rpartition("\n")
        # What goes on a line that was shown rates nothing.
        may_rate = (newline or not self._in_line) and _BEGINNING.fullmatch(last)
        sure = answer.rstrip() if may_rate else text.rstrip()
        self._held = text[len(sure) :]
        self._in_line |= bool(sure)
        return sure


def confidence_in(text: str) -> float | None:
    """The number `confidence` in a text that is a JSON object, within 0..1; None where there is none."""
    return _number((json_object(text) or {}).get("confidence"))


def judged(text: str) -> float | None:
    """How sure a judge is, within 0..1: the number that its text is, or that is `confidence` in it; None without."""
    try:
        return _number(float(text))
    except ValueError:
        return confidence_in(text)


def mean_probability(logprobs: Sequence[float]) -> float | None:
    """What the mean of `logprobs` (natural logarithms) is as a probability; None without any, or if it is none.

    Rounded to six digits, since exp(log(.8)) may fall below .8, and so below a threshold of .8.
    """
    mean = fsum(logprobs) / len(logprobs) if logprobs else nan
    return None if isnan(mean) else round(exp(min(mean, 0.0)), 6)


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, perhaps in a Markdown fence; None if it is anything else."""
    fenced = _FENCE.fullmatch(text.strip())
    try:
        value = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _split(text: str) -> tuple[str, float | None]:
    """The text without a last line that rates it, and what that line says, if it is a number."""
    answer, _, last = text.rstrip().rpartition("\n")
    if not (line := _LINE.fullmatch(last)):
        return text, None
    written = line[1].lstrip(" \t*_`").rstrip(" \t*_`.")
    percent = written.endswith("%")
    try:
        number = float(written.removesuffix("%"))
    except ValueError:
        number = nan
    return answer.rstrip(), _number(number / 100 if percent else number)


def _number(value: object) -> float | None:
    """`value` within 0..1; None unless it is a finite number."""
    # Compared rather than converted: JSON also has whole numbers that no float can hold.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
        return None
    return float(min(max(value, 0), 1))
