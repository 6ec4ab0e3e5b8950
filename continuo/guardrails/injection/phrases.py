"""Known ways of speaking to a model behind its owner's back: words that stand near each other in a sentence, in any
order, since languages have different ones."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from continuo.guardrails.injection.signals import Signal
from continuo.guardrails.injection.vocabulary import bits, expression, topics

PHRASE, REVEAL = "INJECTION_PHRASE", "INJECTION_REVEAL"


class Phrase(NamedTuple):
    """`weight` is what it adds to a score, once; all its `topics` stand within so many words that are `near`, in one
    sentence that is about none of `without`."""

    name: str
    weight: float
    topics: int
    near: int
    without: int
    kind: str


def _phrase(name: str, weight: float, about: str, near: int, without: str = "", kind: str = PHRASE) -> Phrase:
    return Phrase(name, weight, bits(about), near, bits(without), kind)


PHRASES = (
    # What the model was told before is to count no more.
    _phrase("override", 1.0, "ignore rules earlier", 9),
    _phrase("override-all", 0.7, "ignore rules all", 7),
    _phrase("override-your", 0.7, "ignore rules your", 7),
    _phrase("forget", 0.5, "ignore earlier all", 6),
    _phrase("forget-said", 0.5, "ignore earlier context", 5),
    _phrase("forget-ai", 0.4, "ignore all ai", 6),
    _phrase("new-task", 0.4, "new task", 2),
    _phrase("ignore-user", 0.6, "ignore user", 4),
    _phrase("safety-off", 0.5, "no safety", 4),
    _phrase("safety-overridden", 0.4, "ignore safety", 4),
    _phrase("reader", 0.4, "ai reader", 4),
    _phrase("admin", 0.5, "admin ignore", 3),
    # What its owner told it is to be shown.
    _phrase("reveal-system", 1.0, "reveal your system prompt", 8, "make", REVEAL),
    _phrase("reveal-prompt", 1.0, "reveal your systemprompt", 8, "make", REVEAL),
    _phrase("reveal-the-prompt", 0.7, "reveal the system prompt", 6, "make", REVEAL),
    _phrase("reveal-configuration", 0.3, "reveal system prompt", 6, "make", REVEAL),
    _phrase("reveal-rules", 1.0, "reveal your earlier rules", 9, "", REVEAL),
    _phrase("reveal-told", 1.0, "reveal told your earlier", 9, "", REVEAL),
    _phrase("reveal-own", 0.5, "reveal your rules", 4, "", REVEAL),
    _phrase("recite", 0.7, "recite earlier text", 5, "", REVEAL),
    _phrase("recite-in-full", 0.4, "recite text infull", 8, "", REVEAL),
    _phrase("block", 0.3, "txt block", 2, "", REVEAL),
    # It is somebody else, who may do anything.
    _phrase("persona-ai", 0.1, "persona ai", 10),
    _phrase("persona-unbound", 0.3, "persona unbound", 12),
    _phrase("from-now-on", 0.4, "fromnow from", 4),
    _phrase("unbound", 0.35, "unbound", 1),
    _phrase("unbound-ai", 0.2, "unbound ai", 8),
    _phrase("no-limits", 0.4, "no limits", 4),
    _phrase("no-limits-now", 0.3, "no limits fromnow", 12),
    _phrase("no-rules-persona", 0.4, "no policy persona", 12),
    _phrase("no-limits-ai", 0.35, "no limits ai", 8),
    _phrase("not-bound", 0.35, "no abide", 4),
    _phrase("not-bound-by-rules", 0.2, "no abide limits", 8),
    _phrase("never-refuse", 0.4, "no refuse", 3),
    _phrase("obey", 0.2, "obey request all", 8),
    _phrase("no-warning", 0.35, "no warn", 4),
    _phrase("do-anything-now", 0.7, "do anything fromnow", 4),
    _phrase("dan", 0.6, "dan", 1),
    _phrase("mode", 0.5, "mode modename", 2),
    _phrase("enable-mode", 0.2, "enable mode modename", 5),
    _phrase("bad-mode", 0.8, "mode badmode", 2),
    _phrase("illegal", 0.25, "illegal", 1),
    _phrase("illegal-request", 0.25, "illegal request", 4),
    _phrase("illegal-fine", 0.3, "illegal illegalok", 4),
    _phrase("two-answers", 0.25, "two answers", 4),
    _phrase("stay", 0.3, "stay character", 3),
    _phrase("fiction-ai", 0.3, "fiction ai", 12),
    _phrase("owners-policy", 0.4, "owner policy", 4),
    _phrase("tokens", 0.4, "tokens lose", 6),
    _phrase("not-a-model", 0.3, "no say language ai", 8),
    _phrase("no-care", 0.2, "no consequence", 4),
    _phrase("no-matter", 0.3, "no matter whatever", 3),
    _phrase("begin-with", 0.3, "begin your answers", 5),
    _phrase("understood", 0.3, "if understand say", 5),
    _phrase("alive", 0.2, "alive", 1),
    _phrase("free", 0.3, "free chains", 5),
    _phrase("addressed", 0.3, "chatgpt", 1),
    _phrase("persona-chatgpt", 0.2, "persona chatgpt", 10),
    _phrase("gpt-name", 0.4, "gptname", 1),
    _phrase("encoded", 0.4, "encoded", 1),
    # What it knows is to be sent elsewhere.
    _phrase("send-secret", 0.5, "send secret link", 12, "make"),
    _phrase("decode-follow", 0.4, "decode follow", 8),
)

MENTION = bits("mention")
WIDEST = max(phrase.near for phrase in PHRASES)
_APART = 60
"""Words between two notes of one phrase: more of it nearby adds nothing."""

_PART = 24
"""Words that count, of a sentence that is looked at as a whole."""


@lru_cache(maxsize=20_000)
def _within(mask: int) -> tuple[int, ...]:
    """The numbers of the phrases whose topics are all in the mask. It is kept by masks: no word of a text is."""
    return tuple(number for number, phrase in enumerate(PHRASES) if phrase.topics & ~mask == 0)


def phrases(text: str) -> list[Signal]:
    """Those of a text."""
    plain = text.replace("_", " ")
    words = expression(plain)
    tokens = words.findall(plain)
    about = {token: topics(token) for token in set(tokens)}
    hits = [(at, mask) for at, mask in enumerate(map(about.__getitem__, tokens)) if mask]
    seen = list(_seen(hits))
    if not seen:
        return []
    wanted = sorted({at for _, first, last in seen for at in (first, last)})
    places = dict(zip(wanted, _spans(words, plain, wanted), strict=True))
    return [
        Signal(phrase.kind, phrase.name, phrase.weight, places[first][0], places[last][1])
        for phrase, first, last in ((PHRASES[number], first, last) for number, first, last in seen)
    ]


def _spans(words: re.Pattern[str], text: str, wanted: list[int]) -> Iterator[tuple[int, int]]:
    """Where the words of these numbers stand."""
    matches, passed = words.finditer(text), 0
    for at in wanted:
        yield next(islice(matches, at - passed, None)).span()
        passed = at + 1


def _seen(hits: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """The number of each phrase, with its first and last word."""
    last_at = [-_APART] * len(PHRASES)
    for first, last, end, about in _parts(hits):
        if not (possible := _within(about)):
            continue
        for start in range(first, last):
            at, mask = hits[start]
            if not any(mask & PHRASES[number].topics for number in possible):
                continue
            gathered = 0
            for index in range(start, end):
                place, more = hits[index]
                if place - at >= WIDEST:
                    break
                if not more & ~gathered:
                    continue
                gathered |= more
                for number in _within(gathered):
                    phrase = PHRASES[number]
                    if place - last_at[number] >= _APART and place - at < phrase.near and phrase.topics & mask:
                        last_at[number] = place
                        if not phrase.without & about:
                            yield number, at, place


def _parts(hits: list[tuple[int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Sentences, of which long ones come in parts: where one begins and ends, where what may belong to it ends, and all
    that it is about."""
    first, count = 0, len(hits)
    while first < count:
        if hits[first][1] < 0:
            first += 1
            continue
        about, end, last = 0, first, min(first + _PART, count)
        while end < count and (end < last or hits[end][0] - hits[last - 1][0] < WIDEST):
            if hits[end][1] < 0:
                break
            about |= hits[end][1]
            end += 1
        last = min(last, end)
        yield first, last, end, about
        first = last
