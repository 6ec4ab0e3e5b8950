"""BLEU: how many runs of one to four words an answer shares with the right ones."""

from typing import TYPE_CHECKING, Literal

from continuo.evaluation.scores.corpus import CorpusMetric

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU


class Bleu(CorpusMetric):
    """sacrebleu's BLEU, of 1 in place of 100.

    `tokenize` says what a word is: `13a` parts punctuation from words, `intl` does so in all scripts, `zh` parts
    Chinese characters, and `char` all characters.
    """

    kind: Literal["bleu"] = "bleu"
    tokenize: Literal["13a", "intl", "zh", "char"] = "13a"

    def sacrebleu(self, *, corpus: bool) -> "BLEU":
        from sacrebleu.metrics.bleu import BLEU

        # A sentence may have fewer than four words. `force` only keeps its warnings from standard error.
        return BLEU(tokenize=self.tokenize, effective_order=not corpus, force=True)
