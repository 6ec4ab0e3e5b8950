"""The variants of a split, compared on what became of their runs."""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum, sqrt
from statistics import median
from typing import NamedTuple

from continuo.data import Data
from continuo.evaluation.intervals import Estimate, mean_interval
from continuo.evaluation.planning import ALPHA
from continuo.evaluation.sequential import Look, Tally, look, size_for_looks
from continuo.evaluation.summaries import percentile

EFFECT = 0.05
"""The least difference of quality that matters, if nothing else is said."""


class LiveRun(NamedTuple):
    """A run that has ended. `quality` is from 0 to 1 and absent where nobody has rated it, as the cost in USD is where
    it is unknown; `latency_ms` is of what answered."""

    failed: bool
    cost_usd: float | None = None
    latency_ms: float | None = None
    quality: float | None = None


class Arm(Data):
    """What became of a variant's `runs`: how many of them failed, what the rest took, and the quality, from 0 to 1, of
    those that were rated. A `shadow` has no `weight`, its share of the traffic.

    `look` compares its quality with that of the first variant, and `more` is about how many ratings it needs beyond
    those it has until they can be told apart; both are absent of the first, and `look` where one of them has no rating.
    """

    variant: str
    shadow: bool = False
    weight: float | None = None
    runs: int = 0
    errors: Estimate | None = None
    quality: Estimate | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    latency_p95_ms: float | None = None
    look: Look | None = None
    more: int | None = None

    @property
    def verdict(self) -> str:
        """In a few words, what is to be done."""
        if self.more is None:
            return "baseline"
        if self.look is None or self.look.decision == "undecided":
            return f"go on: about {self.more:,} more ratings"
        by = f"{abs(self.look.difference.mean):.3f}"
        return {
            "better": f"stop: better by {by}",
            "worse": f"stop: worse by {by}",
            "equivalent": "stop: no difference that matters",
        }[self.look.decision]


class Arms(Data):
    """The variants of `pattern`, the first one first, and its shadows; a difference below `effect` does not matter."""

    pattern: str
    effect: float
    arms: tuple[Arm, ...]


def compared(
    pattern: str,
    weights: Mapping[str, float],
    shadows: Iterable[str],
    runs: Mapping[tuple[str, bool], Sequence[LiveRun]],
    effect: float,
) -> Arms:
    """`runs` are those of each variant, by its name and whether it is a shadow.

    With several comparisons each has its part of the false alarms that all may have.
    """
    total = fsum(weights.values())
    empty = [Arm(variant=name, weight=weight / total) for name, weight in weights.items()]
    empty += [Arm(variant=name, shadow=True) for name in shadows]
    first, *others = ((arm, runs.get((arm.variant, arm.shadow), ())) for arm in empty)
    tally, alpha = _tally(first[1]), ALPHA / max(1, len(others))
    arms = [_arm(*first), *(_against(_arm(*other), tally, _tally(other[1]), effect, alpha) for other in others)]
    return Arms(pattern=pattern, effect=effect, arms=tuple(arms))


def _arm(arm: Arm, runs: Sequence[LiveRun]) -> Arm:
    rated = [run.quality for run in runs if run.quality is not None]
    costs = [run.cost_usd for run in runs if run.cost_usd is not None]
    latencies = sorted(run.latency_ms for run in runs if run.latency_ms is not None)
    update = {
        "runs": len(runs),
        "errors": mean_interval([float(run.failed) for run in runs]) if runs else None,
        "quality": mean_interval(rated) if rated else None,
        "cost_usd": fsum(costs) / len(costs) if costs else None,
        "latency_ms": median(latencies) if latencies else None,
        "latency_p95_ms": percentile(latencies, 0.95),
    }
    return arm.model_copy(update=update)


def _tally(runs: Iterable[LiveRun]) -> Tally:
    tally = Tally()
    for run in runs:
        if run.quality is not None:
            tally = tally.plus(run.quality)
    return tally


def _against(arm: Arm, first: Tally, tally: Tally, effect: float, alpha: float) -> Arm:
    seen = look(first, tally, effect, alpha=alpha) if first.count and tally.count else None
    sd = sqrt((first.variance + tally.variance) / 2)
    more = max(1, size_for_looks(sd, effect, alpha=alpha) - tally.count)
    return arm.model_copy(update={"look": seen, "more": more})
