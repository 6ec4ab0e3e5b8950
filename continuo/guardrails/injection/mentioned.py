"""An attack that a text speaks about, such as an example in quotation marks in a question about attacks."""

import re
from bisect import bisect_right

from continuo.guardrails.injection.signals import Signal
from continuo.guardrails.injection.vocabulary import bits, expression, topics

_QUOTED = re.compile(
    r'"[^"\n]{1,400}"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|„[^“”\n]{1,400}[“”]|`[^`\n]{1,400}`|\'(?<!\w\')[^\'\n]{1,400}\'(?!\w)'
)
"""Each form begins with a sign, which is what makes the search quick."""
_MENTION = bits("mention")

LESS, MOST = 0.4, 0.6
"""What a quoted signal weighs where the rest speaks about attacks, texts or words, and all of them together at most."""


def without_mentions(text: str, every: list[Signal]) -> list[Signal]:
    """The signals, of which those that are quoted weigh less where the text speaks about what it quotes."""
    if not (quoted := [match.span() for match in _QUOTED.finditer(text)]):
        return every
    starts, ends = [start for start, _ in quoted], [0, *(end for _, end in quoted)]
    open_text = " ".join(text[end:start] for end, start in zip(ends, [*starts, len(text)], strict=True))
    words = set(expression(open_text).findall(open_text))
    if not any(mask > 0 and mask & _MENTION for mask in map(topics, words)):
        return every

    def inside(one: Signal) -> bool:
        at = bisect_right(starts, one.start) - 1
        return at >= 0 and one.end <= quoted[at][1]

    less = min(LESS, MOST / max(1e-9, sum(one.weight for one in every if inside(one))))
    return [one._replace(weight=one.weight * less) if inside(one) else one for one in every]
