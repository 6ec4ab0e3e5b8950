"""Texts without what does not count between words that are the same: case, accents, white space."""

import re
from collections.abc import Iterable
from functools import lru_cache
from unicodedata import normalize

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Characters of scripts in which words are not kept apart, or go on with an ending: Thai, Lao, Burmese, Khmer, Chinese,
Japanese, Korean. Each is a word."""

_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]+"
)
"""Of European scripts, the points of Hebrew and Arabic, and what is not seen; the vowels of others are no accents."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


def folded(text: str) -> str:
    """The text in small letters without accents, and with single spaces."""
    if text.isascii():
        return " ".join(text.casefold().split())
    # Composed again: a Korean syllable is one character, and not its parts.
    bare = normalize("NFKC", _ACCENTS.sub("", normalize("NFKD", text)))
    return " ".join(bare.casefold().split())


def words(text: str) -> list[str]:
    """Those of a text that is folded, in order."""
    return _WORD.findall(text)


class Phrases:
    """Words and phrases that are looked for whole."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Raises `ValueError` for one that has no letter and no digit."""
        self._phrases: dict[str, str] = {}
        for phrase in phrases:
            if not words(bare := folded(phrase)):
                raise ValueError(f"{phrase[:80]!r} has neither a letter nor a digit; write a word")
            self._phrases.setdefault(bare, phrase)

    def cover(self, others: "Phrases") -> bool:
        """Whether every text that has one of the others has one of these, since that is a part of it."""
        return all(self.first_in(other) is not None for other in others._phrases)

    def first_in(self, text: str) -> str | None:
        """The first of them, as it was written, that is in the text, which is folded."""
        return next((as_written for bare, as_written in self._phrases.items() if _holds(text, bare)), None)


def _holds(text: str, phrase: str) -> bool:
    # Nearly always it is not there at all, which this says in no time.
    return phrase in text and _whole(phrase).search(text) is not None


@lru_cache(maxsize=10_000)
def _whole(phrase: str) -> re.Pattern[str]:
    before = "" if re.match(rf"[\W{UNSPACED}]", phrase) else r"(?<!\w)"
    after = "" if re.search(rf"[\W{UNSPACED}]\Z", phrase) else r"(?!\w)"
    return re.compile(before + re.escape(phrase) + after)
