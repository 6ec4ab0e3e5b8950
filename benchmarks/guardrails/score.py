"""How many of the labelled values were found, and how much that is none."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from benchmarks.guardrails.texts import Labelled


class Score(NamedTuple):
    """Of one kind: values there are, those found, and findings where no value is."""

    values: int
    hits: int
    false: int

    @property
    def recall(self) -> float | None:
        return self.hits / self.values if self.values else None

    @property
    def precision(self) -> float | None:
        return self.hits / (self.hits + self.false) if self.hits + self.false else None


def scores(texts: Iterable[Labelled], findings: Iterable[Iterable[tuple[str, int, int]]]) -> dict[str, Score]:
    """A value is found where a finding of its kind and it have more than half of both in common; a finding is a false
    alarm where it touches no value of any kind.
    """
    values, hits, false = Counter[str](), Counter[str](), Counter[str]()
    for text, of_text in zip(texts, findings, strict=True):
        each = [*of_text]
        for kind, start, end in text.spans:
            values[kind] += 1
            hits[kind] += any(kind == one[0] and _common(one, start, end) for one in each)
        for kind, start, end in each:
            false[kind] += not any(start < last and first < end for _, first, last in text.spans)
    return {kind: Score(values[kind], hits[kind], false[kind]) for kind in sorted({*values, *false})}


def _common(finding: tuple[str, int, int], start: int, end: int) -> bool:
    common = min(end, finding[2]) - max(start, finding[1])
    return common * 2 > max(end, finding[2]) - min(start, finding[1])
