"""A text that is checked while it comes: what may be the beginning of a finding is held back, and no more."""

import re

from continuo.guardrails.checks.redaction import masked, spans
from continuo.guardrails.findings import Recogniser

HELD = 80
"""Characters behind which a finding that has spaces in it has ended, such as a card's number or a date of birth."""

BEFORE = 500
"""Characters of what was shown that may say what follows them, such as "password:"."""

MANY = 2000
"""Characters of one word that are looked at again only when there are half as many more, so that time stays linear."""

_BEGINS, _ENDS = "-----BEGIN", "-----END"
"""Of a key, whose lines are of any number."""

_SEPARATE = re.compile(r"[\s\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""What is no part of a longer word: in some scripts each character."""


class CheckedText:
    """One text in pieces, each finding masked; without `redact` it ends before the first one.

    `held` is the longest finding with spaces in it, and `shown` is how the text begins that goes on here.
    """

    def __init__(self, recognise: Recogniser, *, held: int, redact: bool, shown: str = "") -> None:
        self._recognise = recognise
        self._most = max(HELD, held)
        self._redact = redact
        self._before = shown[-BEFORE:]
        self._pieces: list[str] = []
        self._length = 0
        self._look = 0
        self.redacted = False
        """Whether there was a finding."""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length < self._look:
            return ""
        text = self._take(whole=False)
        self._look = self._length * 3 // 2 if self._length > MANY else 0
        return text

    def finish(self) -> str:
        """The rest."""
        return self._take(whole=True)

    @property
    def _over(self) -> bool:
        return self.redacted and not self._redact

    def _take(self, *, whole: bool) -> str:
        held = "".join(self._pieces)
        if self._over:
            shown, held = "", ""
        else:
            shown, held = self._cut(held, whole=whole)
        self._pieces, self._length = [held], len(held)
        return shown

    def _cut(self, held: str, *, whole: bool) -> tuple[str, str]:
        """What may be shown, and what is still held; places count from the text before on."""
        text, begin = self._before + held, len(self._before)
        sure = len(text) if whole else self._between_words(text, begin)
        if sure <= begin:
            return "", held
        places = [*spans(self._recognise(text))]
        sure = next((start for start, end in places if start < sure < end), sure)
        here = [(max(start, begin), end) for start, end in places if begin < end <= sure]
        if here:
            self.redacted = True
            sure = here[0][0] if not self._redact else sure
        shown = masked(text[begin:sure], ((start - begin, end - begin) for start, end in here if end <= sure))
        if sure > begin:
            self._before, held = text[max(0, sure - BEFORE) : sure], text[sure:]
        return shown, held

    def _between_words(self, text: str, begin: int) -> int:
        sure = len(text) - self._most
        while sure > begin and not _SEPARATE.match(text, sure - 1):
            sure -= 1
        key = text.rfind(_BEGINS)
        return min(sure, key) if key >= 0 and _ENDS not in text[key:] else sure
