"""Words that no answer may hold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from continuo.guardrails.checks.words import words
from continuo.guardrails.findings import Finding

BLOCKED = "BLOCKED"

MOST_BETWEEN = 8
"""Characters between two words that still follow each other."""


@lru_cache(32)
def blocked_words(phrases: tuple[str, ...]) -> "BlockedWords":
    """Made once of a list, which may be long."""
    return BlockedWords(phrases)


class BlockedWords:
    """Whole words, and phrases of them, whatever their case."""

    def __init__(self, phrases: Iterable[str]) -> None:
        # Spelled with a letter or digit, so that none is empty.
        self._phrases = {tuple(word.text for word in words(phrase)) for phrase in phrases}
        lengths = defaultdict[str, set[int]](set)
        for phrase in self._phrases:
            lengths[phrase[0]].add(len(phrase))
        self._lengths = {first: sorted(every, reverse=True) for first, every in lengths.items()}
        self.longest = max((sum(map(len, one)) + MOST_BETWEEN * len(one) for one in self._phrases), default=0)
        """Characters that a phrase may take, without those that are not seen."""

    def __call__(self, text: str) -> Iterator[Finding]:
        every = words(text)
        for at, word in enumerate(every):
            for length in self._lengths.get(word.text, ()):
                here = every[at : at + length]
                near = all(two.start - one.end <= MOST_BETWEEN for one, two in pairwise(here))
                if near and tuple(one.text for one in here) in self._phrases:
                    yield Finding(BLOCKED, word.start, here[-1].end)
                    break
