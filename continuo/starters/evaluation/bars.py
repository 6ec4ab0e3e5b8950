"""The charts of an evaluation: a bar for each pattern, scaled to the longest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from continuo.evaluation.results import Evaluation, Tried
from continuo.starters.console.money import money
from continuo.starters.evaluation import words


@dataclass(frozen=True)
class Bar:
    """One bar of a chart 100 wide; `low` and `high` are the ends of its interval, if it has one."""

    HEIGHT: ClassVar = 22

    name: str
    label: str
    length: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    title: str
    bars: Sequence[Bar]


def charts(evaluation: Evaluation) -> Iterator[Chart]:
    """One for each score, then for what an item costs and how long it takes; without a value there is no bar."""
    tried = evaluation.patterns
    for name in evaluation.scores:
        bars = [_score(one, name) for one in tried if name in one.whole.scores]
        yield Chart(f"{name}, from 0 to 1, with its 95 % interval", bars)
    yield _chart("cost of an item", [(one, one.whole.cost_each_usd) for one in tried], money)
    yield _chart("latency, median", [(one, one.whole.median_ms) for one in tried], words.latency)
    yield _chart("latency, 95th percentile", [(one, one.whole.p95_ms) for one in tried], words.latency)


def _score(tried: Tried, name: str) -> Bar:
    estimate = tried.whole.scores[name]
    length, low, high = (round(100 * value, 2) for value in (estimate.mean, estimate.low, estimate.high))
    return Bar(words.text(tried.pattern), words.mean(estimate), length, low, high)


def _chart(title: str, values: Sequence[tuple[Tried, float | None]], label: Callable[[float], str]) -> Chart:
    longest = max((value for _, value in values if value), default=1.0)
    return Chart(
        title,
        [
            Bar(words.text(tried.pattern), label(value), round(100 * value / longest, 2))
            for tried, value in values
            if value is not None
        ],
    )
