"""The words of a text, each with its place."""

import re
from typing import NamedTuple

from continuo.guardrails.injection.folding import INVISIBLE, folded

_ALONE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
"""Characters of scripts that put no spaces between words, or hang endings on them: each counts as a word."""

_WORD = re.compile(rf"[{_ALONE}]|█+|[^\W{_ALONE}](?:[^\W{_ALONE}]|[\u0300-\u036f{INVISIBLE}])*")
"""What is not seen may stand within a word, and accents apart from their letter."""


class Word(NamedTuple):
    """As it is compared, see `folded`; from `start` up to `end`."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    return [Word(folded(match[0]), match.start(), match.end()) for match in _WORD.finditer(text)]
