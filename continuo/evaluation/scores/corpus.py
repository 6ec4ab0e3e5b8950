"""BLEU and chrF by sacrebleu, the extra `eval`: of one answer, and of a whole set, for which they were made."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from continuo.data import Data
from continuo.errors import InputError
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric, NoScore, right_texts
from continuo.jobs import Outcome

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Sacrebleu


class CorpusScore(Data):
    """A score of all answers together, from 0 to 1, and sacrebleu's `signature`, by which others can compute it."""

    value: float
    signature: str


class CorpusMetric(Metric):
    """A metric of sacrebleu. All right answers of an example are references together, as both metrics define it."""

    def check(self, example: Example) -> None:
        right_texts(self, example)
        _ = self.of_sentences

    def score(self, outcome: Outcome, example: Example) -> Score:
        wanted = right_texts(self, example)
        # Of a text without words or letters sacrebleu says 0, even where it is right.
        if outcome.text in wanted:
            return Score(value=1)
        return Score(value=_share(self.of_sentences.sentence_score(outcome.text, wanted).score))

    def sacrebleu(self, *, corpus: bool) -> "Sacrebleu":
        """The metric there, for a corpus or for sentences alone."""
        raise NotImplementedError

    @cached_property
    def of_sentences(self) -> "Sacrebleu":
        return _loaded(self, corpus=False)


def corpus(metric: CorpusMetric, pairs: Iterable[tuple[str, Sequence[str]]]) -> CorpusScore:
    """What sacrebleu says of all answers together, each with its right ones, of which there is at least one.

    Raises `InputError` without the extra `eval`, and `NoScore` without pairs.
    """
    answers, references = [], []
    for answer, right in pairs:
        answers.append(answer)
        references.append(right)
    if not answers:
        raise NoScore(f"there is no answer that has a {metric.name}")
    loaded = _loaded(metric, corpus=True)
    score = loaded.corpus_score(answers, list(zip_longest(*references)))
    return CorpusScore(value=_share(score.score), signature=str(loaded.get_signature()))


def _share(percent: float) -> float:
    """Within 0..1: what is made of logarithms may be a little above."""
    return min(max(percent / 100, 0.0), 1.0)


def _loaded(metric: CorpusMetric, *, corpus: bool) -> "Sacrebleu":
    try:
        return metric.sacrebleu(corpus=corpus)
    except ImportError:
        raise InputError(f"{metric.name} needs an extra; pip install 'continuo-patterns[eval]'") from None
