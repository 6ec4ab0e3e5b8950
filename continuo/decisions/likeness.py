"""How much a text is like sentences that were given as examples: by the words that they share, with no model.

Words are compared by their English stem. One that few of the examples have weighs more (inverse document frequency),
and one that carries no meaning of its own, such as "the", little. It knows nothing of meaning: "not" changes nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from math import log, sqrt
from threading import local
from typing import Any, NamedTuple

from continuo.decisions.folding import folded, words

READ = 2_000
"""Characters at the beginning of a text that are compared: what it is about stands there."""

LITTLE = 0.3
"""What a word without a meaning of its own weighs beside others."""

LONGEST = 40
"""Letters of a word that has a stem."""

_ENDS = re.compile(r"[.!?;\n\u3002\uff01\uff1f]+")

_OF_THREAD = local()

Vector = Mapping[str, float]
"""The weights of words, of length 1."""


class Nearest(NamedTuple):
    """An example, and how like it something is, in 0..1."""

    likeness: float
    example: str


NOTHING = Nearest(0.0, "")


class Examples:
    """Sentences, by what they are examples of."""

    def __init__(self, sentences: Mapping[str, Iterable[str]]) -> None:
        stems = {name: {sentence: _stems(sentence) for sentence in some} for name, some in sentences.items()}
        spread = Counter(stem for some in stems.values() for one in some.values() for stem in one)
        count = sum(len(some) for some in stems.values())
        self._weights = {stem: 1 + log((1 + count) / (1 + number)) for stem, number in spread.items()}
        self._unknown = 1 + log(1 + count)
        self._having: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
        for name, some in stems.items():
            for sentence, one in some.items():
                for stem, weight in self._vector(one).items():
                    self._having[stem].append((name, sentence, weight))

    def nearest(self, text: str) -> dict[str, Nearest]:
        """By what there are examples of, the one which a sentence of the text, or all that is read of it, is most like.

        What shares no word with the text is left out.
        """
        read, near = text[:READ], dict[str, Nearest]()
        for part in dict.fromkeys((read, *_ENDS.split(read))):
            likeness: dict[tuple[str, str], float] = defaultdict(float)
            for stem, weight in self._vector(_stems(part)).items():
                for name, sentence, other in self._having.get(stem, ()):
                    likeness[name, sentence] += weight * other
            for (name, sentence), value in likeness.items():
                if name not in near or value > near[name].likeness:
                    near[name] = Nearest(min(1.0, value), sentence)
        return near

    def _vector(self, stems: frozenset[str]) -> Vector:
        weights = {stem: self._weights.get(stem, self._unknown) for stem in stems}
        weights = {stem: weight * LITTLE if stem in _functional() else weight for stem, weight in weights.items()}
        length = sqrt(sum(weight**2 for weight in weights.values()))
        return {stem: weight / length for stem, weight in weights.items()}


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(_stem, words(folded(text))))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return word if len(word) > LONGEST else str(_stemmer().stemWord(word))


def _stemmer() -> Any:
    # It has a state of its own while it works, so each thread has one.
    if not hasattr(_OF_THREAD, "stemmer"):
        from snowballstemmer import stemmer

        _OF_THREAD.stemmer = stemmer("english")
    return _OF_THREAD.stemmer


@cache
def _functional() -> frozenset[str]:
    """The stems of words that carry no meaning of their own, of the languages that are known best."""
    # Imported here: it takes long to load, and only rules with examples need it.
    from bm25s import stopwords

    lists = (
        stopwords.STOPWORDS_EN_PLUS, stopwords.STOPWORDS_GERMAN, stopwords.STOPWORDS_FRENCH,
        stopwords.STOPWORDS_SPANISH, stopwords.STOPWORDS_ITALIAN, stopwords.STOPWORDS_PORTUGUESE,
        stopwords.STOPWORDS_DUTCH,
    )  # fmt: skip
    return frozenset(stem for some in lists for stem in _stems(" ".join(some)))
