"""chrF: how many runs of one to six characters an answer shares with a right one."""

from typing import TYPE_CHECKING, Literal

from continuo.evaluation.scores.corpus import CorpusMetric

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


class Chrf(CorpusMetric):
    """sacrebleu's chrF2, of 1 in place of 100: needs no words, so it is good for any language."""

    kind: Literal["chrf"] = "chrf"

    def sacrebleu(self, *, corpus: bool) -> "CHRF":
        from sacrebleu.metrics.chrf import CHRF

        return CHRF()
