"""What was in a request is no leak in its answer."""

import re
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256

from continuo.guardrails.findings import Finding, Recogniser

_SPELLING = re.compile(r"[\W_]+")


def digests(texts: Iterable[str], recognise: Recogniser) -> frozenset[str]:
    """What is in the texts, so that it is known again, but not read."""
    return frozenset(_digest(text, finding) for text in texts for finding in recognise(text))


class Unknown:
    """What `recognise` finds and is not among the `known` digests, however it is spaced there."""

    def __init__(self, recognise: Recogniser, known: Collection[str]) -> None:
        self._recognise = recognise
        self._known = frozenset(known)

    def __call__(self, text: str) -> Iterator[Finding]:
        return (finding for finding in self._recognise(text) if _digest(text, finding) not in self._known)


def _digest(text: str, finding: Finding) -> str:
    value = _SPELLING.sub("", text[finding.start : finding.end]).casefold()
    return sha256(value.encode(errors="surrogatepass")).hexdigest()[:16]
