"""What an operator's own patterns match."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.regex import Regex

LONGEST = 4096
"""Characters of the longest match that is sure to be found whole: with none, a pattern such as `a(.*b)?` would read all
of the text for each of its matches."""


def own_findings(text: str, kind: str, pattern: Regex) -> Iterator[Finding]:
    """In linear time: each match is looked for in a part of the text; matches of nothing are left out."""
    place = 0
    while place < len(text):
        # With the character before it, of which \b tells.
        first, ahead = max(0, place - 1), place + LONGEST
        for match in pattern.finditer(text[first : ahead + LONGEST]):
            start, end = (first + one for one in match.span())
            if start >= ahead:
                break
            if place <= start < end:
                yield Finding(kind, start, end)
                ahead = max(ahead, end)
        place = ahead
