"""Findings are blotted out of a text."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from continuo.guardrails.findings import Finding, Recogniser

MASK = "███"
"""In the place of what nobody is to see. It is no word, no part of an address and none of JSON, and no placeholder that
is made good for a caller."""

PASSES = 3
"""So often is a text blotted: what stands beside a mask may look like something, now that it is there."""


class Blotted(NamedTuple):
    """A text without what a recogniser finds in it, and how often that was, by kind."""

    text: str
    findings: Counter[str]


def blotted(text: str, recognise: Recogniser) -> Blotted:
    """The text with a mask for each finding, as often as it takes: it passes `recognise`, at worst as a mask alone."""
    first = blotted_once(text, recognise)
    text, again = first
    for _ in range(PASSES):
        if not again:
            return Blotted(text, first.findings)
        text, again = blotted_once(text, recognise)
    return Blotted(MASK, first.findings)


def blotted_once(text: str, recognise: Recogniser) -> Blotted:
    """The same in one pass, as a stream is."""
    findings = [*recognise(text)]
    return Blotted(masked(text, spans(findings)), Counter(finding.kind for finding in findings))


def spans(findings: Iterable[Finding]) -> Iterator[tuple[int, int]]:
    """Where something is, in order; findings that overlap are one."""
    begun: tuple[int, int] | None = None
    for _, start, end in sorted(findings, key=lambda finding: (finding.start, finding.end)):
        if begun and start < begun[1]:
            begun = (begun[0], max(begun[1], end))
            continue
        if begun:
            yield begun
        begun = (start, end)
    if begun:
        yield begun


def masked(text: str, places: Iterable[tuple[int, int]]) -> str:
    """The text with a mask in each of the places, which are in order."""
    pieces, at = [], 0
    for start, end in places:
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text
