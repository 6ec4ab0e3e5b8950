"""Whether a candidate may take the place of a baseline: the verdict of a gate, and why."""

from collections.abc import Mapping, Set
from math import fsum, sqrt
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from continuo.data import Data, Number
from continuo.errors import InputError
from continuo.evaluation.paired import Comparison, compare, holm
from continuo.evaluation.planning import ALPHA, POWER, size_for_pairs

SHOWN = 5
"""So many ids are named."""

Between0And1 = Annotated[Number, Field(gt=0, lt=1)]


class Sides(NamedTuple):
    """What is known of each example, by its id."""

    baseline: Mapping[str, float]
    candidate: Mapping[str, float]


class Limits(Data):
    """What a gate lets pass.

    A regression is a loss that is significant at the level `alpha` after Holm's correction for the number of metrics,
    and no less than `min_effect`, of scores from 0 to 1. Examples are enough if such a loss would be seen in `power` of
    all cases. `max_ratio` is of what should not rise, such as {"cost": 1.1}: what its sum may be multiplied by.
    """

    alpha: Between0And1 = ALPHA
    min_effect: Between0And1 = 0.02
    power: Between0And1 = POWER
    max_ratio: dict[str, Annotated[Number, Field(gt=0)]] = {}


class Finding(Data):
    """What is said of a metric or an amount, and why, in a line; of a metric, also its `comparison`.

    "unsure" is a metric without a significant change, on examples that are too few for that to say much.
    """

    name: str
    status: Literal["regression", "over_limit", "unsure", "unchanged", "improvement"]
    reason: str
    comparison: Comparison | None = None


class Verdict(Data):
    """A candidate passes without a regression, and with no amount over its limit."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not any(finding.status in ("regression", "over_limit") for finding in self.findings)


def judge(metrics: Mapping[str, Sides], amounts: Mapping[str, Sides], limits: Limits) -> Verdict:
    """Compare on the examples that both sides have; the reasons name the others.

    Metrics are scores from 0 to 1, of which more is better; amounts are costs, seconds or tokens, and those with a
    limit are judged. An `InputError` names one that no example has on both sides.
    """
    if missing := limits.max_ratio.keys() - amounts.keys():
        raise InputError(f"max_ratio: there is no amount {min(missing)!r}; name one of: {', '.join(amounts) or 'none'}")
    comparisons = {name: compare(*_paired(name, sides)) for name, sides in metrics.items()}
    p_values = holm({name: comparison.p_value for name, comparison in comparisons.items()})
    scored = [_of_metric(name, metrics[name], comparisons[name], p_values, limits) for name in metrics]
    limited = [_of_amount(name, amounts[name], limit) for name, limit in limits.max_ratio.items()]
    return Verdict(findings=(*scored, *limited))


def _of_metric(
    name: str, sides: Sides, comparison: Comparison, p_values: Mapping[str, float], limits: Limits
) -> Finding:
    difference, p_value, effect = comparison.difference, p_values[name], limits.min_effect
    needed = _needed(*_paired(name, sides), limits.alpha / len(p_values), limits)
    status: Literal["regression", "unsure", "unchanged", "improvement"] = "unchanged"
    if p_value <= limits.alpha:
        change = "loss" if difference.mean < 0 else "gain"
        if round(abs(difference.mean), 9) < effect:
            conclusion = f"a significant {change}, but of less than {effect:g}"
        else:
            status = "regression" if difference.mean < 0 else "improvement"
            conclusion = f"a significant {change} of {effect:g} or more"
    elif needed > difference.count:
        status = "unsure"
        conclusion = (
            f"no significant change, but {difference.count} examples are few: "
            f"to see a loss of {effect:g} in {limits.power:.0%} of cases takes {needed}"
        )
    else:
        conclusion = "no significant change"
    correction = f" after Holm's correction for {len(p_values)} metrics" if len(p_values) > 1 else ""
    reason = (
        f"{comparison.baseline:.3f} → {comparison.candidate:.3f}, by {difference.mean:+.3f} "
        f"({difference.low:+.3f} to {difference.high:+.3f}), p = {p_value:.2g}{correction}: {conclusion}"
    )
    return Finding(name=name, status=status, reason=reason + _unpaired(sides), comparison=comparison)


def _of_amount(name: str, sides: Sides, limit: float) -> Finding:
    before, after = map(fsum, _paired(name, sides))
    over = after > limit * before
    ratio = f", {after / before:.2f} times as much" if before else ""
    reason = f"{before:.6g} → {after:.6g}{ratio}: {'over' if over else 'within'} the limit of {limit:g} times"
    return Finding(name=name, status="over_limit" if over else "unchanged", reason=reason + _unpaired(sides))


def _paired(name: str, sides: Sides) -> tuple[list[float], list[float]]:
    shared = [id for id in sides.baseline if id in sides.candidate]
    if not shared:
        raise InputError(f"{name}: no example has it on both sides; run baseline and candidate on the same examples")
    return [sides.baseline[id] for id in shared], [sides.candidate[id] for id in shared]


def _unpaired(sides: Sides) -> str:
    baseline, candidate = sides.baseline.keys(), sides.candidate.keys()
    return _only("baseline", baseline - candidate) + _only("candidate", candidate - baseline)


def _only(side: str, ids: Set[str]) -> str:
    if not ids:
        return ""
    others = f" and {len(ids) - SHOWN} others" if len(ids) > SHOWN else ""
    return f"; only in the {side}: {', '.join(sorted(ids)[:SHOWN])}{others}"


def _needed(baseline: list[float], candidate: list[float], alpha: float, limits: Limits) -> int:
    """Examples for the power that is wanted, as if one more had changed wholly: a few alike are no certainty."""
    squares = fsum((after - before) ** 2 for before, after in zip(baseline, candidate, strict=True))
    return size_for_pairs(sqrt((squares + 1) / len(baseline)), limits.min_effect, alpha=alpha, power=limits.power)
