"""ROUGE: how many words, pairs of words, or words in the same order an answer shares with a right one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from continuo.decisions.folding import folded, words
from continuo.evaluation.examples import Score
from continuo.evaluation.scores.base import TextMetric
from continuo.evaluation.scores.subsequence import common, places

Words = Sequence[str]

MOST = {"rouge-l": 100_000, "rouge-lsum": 3_000}
"""Words of a text that are compared where their order counts: twice as many take four times as long."""


class Rouge(TextMetric):
    """The F1 of what the answer shares with a right one: words (`rouge-1`), pairs of words (`rouge-2`), the longest
    common subsequence of words (`rouge-l`), or that of each line of the right one with all lines (`rouge-lsum`).

    Of texts in ASCII the values are those of rouge-score 0.1.2 without its stemmer. Letters beyond, which that leaves
    out, count here, apart from their accents.
    """

    kind: Literal["rouge-1", "rouge-2", "rouge-l", "rouge-lsum"]

    def compared(self, text: str, wanted: str) -> Score:
        said, right = _lines(text), _lines(wanted)
        most, longest = MOST.get(self.kind), max(sum(map(len, lines)) for lines in (said, right))
        why = ""
        if most is not None and longest > most:
            said, right = _first(said, most), _first(right, most)
            why = f"of {longest:,} words the first {most:,} are compared"
        return Score(value=_f1(self.kind, said, right), why=why)


def _f1(kind: str, said: Sequence[Words], right: Sequence[Words]) -> float:
    if kind in ("rouge-1", "rouge-2"):
        of_said, of_right = (_runs(_joined(lines), int(kind[-1])) for lines in (said, right))
        shared, sizes = (of_said & of_right).total(), of_said.total() + of_right.total()
    else:
        sizes = sum(map(len, (*said, *right)))
        shared = _in_lines(said, right) if kind == "rouge-lsum" else common(_joined(right), _joined(said))
    return 2 * shared / sizes if shared else 0.0


def _runs(words: Words, length: int) -> Counter[Words]:
    """Of so many words that follow each other, and how often each is there."""
    return Counter(tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _in_lines(said: Sequence[Words], right: Sequence[Words]) -> int:
    """The words of the right lines that are in a longest common subsequence with any line that was said.

    A word counts at most as often as it was said.
    """
    different = {tuple(line): frozenset(line) for line in said if line}
    left = Counter(_joined(said))
    shared = 0
    for line in right:
        own = set(line)
        taken = {place for other, its in different.items() if not own.isdisjoint(its) for place in places(line, other)}
        for place in taken:
            if left[line[place]]:
                left[line[place]] -= 1
                shared += 1
    return shared


def _lines(text: str) -> list[Words]:
    """The words of each line. An underscore parts words, as it does in rouge-score."""
    return [words(folded(line.replace("_", " "))) for line in text.split("\n")]


def _first(lines: Iterable[Words], most: int) -> list[Words]:
    """The first words of the lines, `most` of them."""
    first: list[Words] = []
    for line in lines:
        first.append(line[:most])
        most -= len(first[-1])
    return first


def _joined(lines: Iterable[Words]) -> list[str]:
    return [word for line in lines for word in line]
