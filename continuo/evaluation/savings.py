"""What a pattern saves and what accuracy that costs, beside its cheapest and its dearest model asked at random."""

from collections import Counter
from collections.abc import Sequence
from math import fsum, sqrt

from continuo.data import Data
from continuo.evaluation.replay import Taken, models_of, rated
from continuo.evaluation.table import Question
from continuo.patterns import Step

INTERVAL = 1.96
"""So many standard errors to either side hold the true value in 95 of 100 cases."""


class Figures(Data):
    """How much was right, in 0..1, and what a question cost, in USD: means over the questions."""

    accuracy: float
    cost_usd: float


class Savings(Data):
    """A pattern over `questions`, beside the `cheapest` and the `dearest` of its models alone.

    `saved` is the share of the dearest one's cost, `lost` the accuracy that went with it. `mix` is the accuracy of
    these two at random, so often each that it costs what the pattern does; `beyond_mix` is how much better the pattern
    is, give or take `error` (95 %). They are None where the two cost the same. `answered` are the shares of the
    questions by the model whose answer stood.
    """

    questions: int
    pattern: Figures
    cheapest: Figures
    dearest: Figures
    cheapest_model: str
    dearest_model: str
    saved: float
    lost: float
    mix: float | None = None
    beyond_mix: float | None = None
    error: float | None = None
    answered: dict[str, float]

    @property
    def worthless(self) -> bool:
        """Whether asking the two at random may well be as good."""
        return self.beyond_mix is not None and self.error is not None and self.beyond_mix <= self.error


Each = list[tuple[float, float]]
"""Of each question, how right the answer was, and what it cost."""


def savings(step: Step, questions: Sequence[Question], went: Sequence[Taken]) -> Savings:
    """What came of `questions`, one at least, that `went` so through a pattern."""
    alone: dict[str, Each] = {
        model: [(one.correct, one.cost(rated=False)) for question in questions for one in [question.models[model]]]
        for model in models_of(step)
    }
    figures = {model: _figures(each) for model, each in alone.items()}
    cheapest = min(figures, key=lambda model: figures[model].cost_usd)
    dearest = max(figures, key=lambda model: figures[model].cost_usd)
    routed = [_right_and_cost(step, question, one) for question, one in zip(questions, went, strict=True)]
    own, low, high = _figures(routed), figures[cheapest], figures[dearest]
    stood = Counter(one.model or "none" for one in went)
    return Savings(
        questions=len(questions),
        pattern=own,
        cheapest=low,
        dearest=high,
        cheapest_model=cheapest,
        dearest_model=dearest,
        saved=1 - own.cost_usd / high.cost_usd if high.cost_usd else 0.0,
        lost=high.accuracy - own.accuracy,
        answered={model: count / len(questions) for model, count in stood.most_common()},
        **_beside_mix(routed, alone[cheapest], alone[dearest]),
    )


def _right_and_cost(step: Step, question: Question, went: Taken) -> tuple[float, float]:
    right = question.models[went.model].correct if went.model else 0.0
    return right, fsum(question.models[call.model].cost(rated=rated(step, call.path)) for call in went.calls)


def _figures(each: Each) -> Figures:
    return Figures(accuracy=_mean([right for right, _ in each]), cost_usd=_mean([usd for _, usd in each]))


def _beside_mix(routed: Each, low: Each, high: Each) -> dict[str, float]:
    """The fields of `Savings` that compare with the mix. Its share follows from costs that are means themselves, so
    its error has theirs in it (the delta method)."""
    own, cheap, dear = map(_figures, (routed, low, high))
    if dear.cost_usd == cheap.cost_usd:
        return {}
    slope = (dear.accuracy - cheap.accuracy) / (dear.cost_usd - cheap.cost_usd)
    share = (own.cost_usd - cheap.cost_usd) / (dear.cost_usd - cheap.cost_usd)
    if not 0 <= share <= 1:
        # At a cost beyond both, the better end is all that there is.
        share, slope = min(1.0, max(0.0, share)), 0.0
    mix = cheap.accuracy + share * (dear.accuracy - cheap.accuracy)
    beyond = own.accuracy - mix
    spread = [
        one[0] - mixed[0] - slope * (one[1] - mixed[1]) - beyond
        for one, a, b in zip(routed, low, high, strict=True)
        for mixed in [(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))]
    ]
    error = INTERVAL * sqrt(fsum(each * each for each in spread)) / len(spread)
    return {"mix": mix, "beyond_mix": beyond, "error": error}


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)
