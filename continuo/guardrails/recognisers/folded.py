"""A text as the recognisers read it: no invisible characters, digits and signs of any script as ASCII, a byte each."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from continuo.guardrails.findings import Finding

LETTER, SYLLABLE, OTHER = 0xFF, 0xFE, 0x80
"""Bytes that stand for a letter beyond ASCII, for one of a script without spaces, and for any other sign."""

_SIZE = 0x20000
"""Code points in the tables; those beyond are ideographs, or in `_TAGS`."""
_TAGS = range(0xE0000, 0xE1000)
"""Tags and variation selectors: none is seen."""
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0xD7FF), (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC), (0x1B000, 0x1B2FF),
)  # fmt: skip
_INVISIBLE = frozenset("\u034f\u115f\u1160\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
_QUOTES = dict.fromkeys("\u2018\u2019\u201a\u2039\u203a", "'") | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`, and the same as `data`, a byte for each character; `places` are theirs in the original, None where all
    were kept."""

    text: str
    data: bytes
    places: NDArray[np.intp] | None

    def original(self, findings: Iterator[Finding]) -> Iterator[Finding]:
        """The findings in this text as those in the original."""
        if self.places is None:
            yield from findings
            return
        for kind, start, end in findings:
            yield Finding(kind, int(self.places[start]), int(self.places[end - 1]) + 1)


def folded(text: str) -> Folded:
    if text.isascii():
        return Folded(text, text.encode("ascii"), None)
    characters, as_bytes = _tables()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    within = np.minimum(codes, _SIZE - 1)
    seen = characters[within]
    kept = (seen != 0) & ((codes < _TAGS.start) | (codes >= _TAGS.stop))
    seen = np.where(codes < _SIZE, seen, codes)
    data = as_bytes[within]
    places = None
    if not kept.all():
        places = np.flatnonzero(kept)
        seen, data = seen[kept], data[kept]
    return Folded(seen.astype("<u4").tobytes().decode("utf-32-le"), data.tobytes(), places)


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """What each code point is read as, 0 for what is not seen, and its byte."""
    characters = np.arange(_SIZE, dtype=np.uint32)
    as_bytes = np.full(_SIZE, OTHER, dtype=np.uint8)
    as_bytes[:128] = np.arange(128)
    characters[0] = as_bytes[0] = ord(" ")
    for code in range(128, _SIZE):
        read, byte = _read(chr(code))
        characters[code], as_bytes[code] = ord(read) if read else 0, byte
    as_bytes[-1] = SYLLABLE
    return characters, as_bytes


def _read(character: str) -> tuple[str, int]:
    """What it is read as, and its byte."""
    category = unicodedata.category(character)
    if category == "Cf" or character in _INVISIBLE:
        return "", OTHER
    if category == "Cs":
        return "\ufffd", OTHER
    sign = _sign(character, category)
    if sign:
        return sign, ord(sign)
    if category[0] in "LM":
        code = ord(character)
        return character, SYLLABLE if any(first <= code <= last for first, last in _UNSPACED) else LETTER
    return character, OTHER


def _sign(character: str, category: str) -> str | None:
    """The ASCII character that it stands for: a full-width form, a digit of another script, a kind of space or dash."""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    if category == "Pd" or character == "\u2212":
        return "-"
    if character in _QUOTES:
        return _QUOTES[character]
    if category[0] in "LPS" and unicodedata.decomposition(character):
        compatible = unicodedata.normalize("NFKC", character)
        if len(compatible) == 1 and compatible.isascii() and compatible.isprintable():
            return compatible
    return None
