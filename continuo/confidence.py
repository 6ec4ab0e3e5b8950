"""How sure a model is of its answer."""

import json
import re

from continuo.messages import ModelResponse

UNKNOWN = 0.5
"""The confidence of an answer that gives none."""

INSTRUCTION = (
    "End your answer with one more line: CONFIDENCE: x, where x from 0 to 1 is how likely your answer is right."
)

_LINE = re.compile(r"\n?[ \t*_]*CONFIDENCE[*_]*\s*[:=][ \t*_]*(?P<number>[^\n]*)\s*\Z", re.IGNORECASE)
_NUMBER = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*(%?)[ \t.*_]*")


def rated(response: ModelResponse) -> tuple[str, float]:
    """The answer without its line `CONFIDENCE: x`, and how sure the model is, in 0..1.

    That is, in this order: a number `confidence` in an answer that is a JSON object; what the provider itself gives,
    as a rule the mean probability of the tokens; the line; else `UNKNOWN`.
    """
    text = response.message.content
    line = _LINE.search(text)
    answer = text[: line.start()].rstrip() if line else text
    for found in (_field(answer), response.confidence, _number(line["number"]) if line else None):
        if found is not None:
            return answer, min(1.0, max(0.0, found))
    return answer, UNKNOWN


def _field(text: str) -> float | None:
    try:
        found = json.loads(text).get("confidence")
    except (ValueError, AttributeError):
        return None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) and found == found else None


def _number(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = float(match[1].replace(",", "."))
    return number / 100 if match[2] else number
