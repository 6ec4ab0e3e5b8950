"""Whether what answers in a shadow may take the place of what answers now: each run beside its copy."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from continuo.errors import InputError
from continuo.evaluation.gate import Limits, Sides, Verdict, judge


class Beside(NamedTuple):
    """What became of a run. `quality` is the mean of what those said, from 0 to 1, who have rated the other one too."""

    failed: bool
    cost_usd: float | None
    latency_ms: float | None
    quality: float | None


class Pair(NamedTuple):
    """A run and its copy in a shadow, which have both ended."""

    id: str
    now: Beside
    shadow: Beside


def verdict(pairs: Sequence[Pair], limits: Limits) -> Verdict:
    """Of the share that is answered, and of the quality. Raises `InputError` where nobody has rated a run and its copy.

    `limits` may name cost and latency.
    """
    if not any(pair.now.quality is not None for pair in pairs):
        what = f"of {len(pairs):,} answers with one beside them nobody has rated both" if pairs else "no run has ended"
        raise InputError(f"{what}; let runs come, and rate them: continuo rate judge PATTERN, or continuo rate")
    metrics = {
        "answered": _sides(pairs, lambda one: float(not one.failed)),
        "quality": _sides(pairs, lambda one: one.quality),
    }
    amounts = {"cost": _sides(pairs, lambda one: one.cost_usd), "latency": _sides(pairs, lambda one: one.latency_ms)}
    return judge(metrics, amounts, limits)


def _sides(pairs: Sequence[Pair], value: Callable[[Beside], float | None]) -> Sides:
    now = {pair.id: known for pair in pairs if (known := value(pair.now)) is not None}
    return Sides(now, {pair.id: known for pair in pairs if (known := value(pair.shadow)) is not None})
