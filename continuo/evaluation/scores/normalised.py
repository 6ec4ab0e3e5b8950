"""Whether an answer is the right one, but for how it is written: the exact match of SQuAD."""

import re
from functools import lru_cache
from typing import Literal
from unicodedata import category

from continuo.decisions.folding import folded
from continuo.evaluation.examples import Score
from continuo.evaluation.scores.base import TextMetric, passed

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_SYMBOLS = frozenset("$+<=>^`|~")
"""Of ASCII: punctuation to SQuAD, though not to Unicode."""


class Normalised(TextMetric):
    """1 where the answer is a right one without regard to case, accents, punctuation, English articles and white space,
    else 0.

    Numbers lose their points, so that 1.5 is 15: they are what `number` is for.
    """

    kind: Literal["normalised"] = "normalised"

    def compared(self, text: str, wanted: str) -> Score:
        return passed(normal(text) == normal(wanted))


def normal(text: str) -> str:
    """The text as it is compared. Articles stay where there is nothing else, as in the answer "A", and so does
    punctuation."""
    whole = folded(text)
    bare = " ".join("".join(one for one in whole if not _is_punctuation(one)).split())
    return " ".join(_ARTICLES.sub(" ", bare).split()) or bare or whole


@lru_cache(maxsize=10_000)
def _is_punctuation(character: str) -> bool:
    return character in _SYMBOLS or category(character).startswith("P")
