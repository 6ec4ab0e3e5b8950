"""The weights of an adaptive split: what is seen of its variants, and the shares that follow from it."""

from collections.abc import Mapping
from datetime import datetime
from math import fsum
from random import Random
from typing import Literal, NamedTuple

from continuo.data import Data
from continuo.evaluation.bandit import Evidence, Policy, Share, shares
from continuo.patterns.split import Adaptive

STEP = 0.01
"""Of 1 for all: where no share changes by as much, nobody's variant is changed for it."""


class Seen(NamedTuple):
    """Of a variant: how many of its runs answered and how many failed; how many of the answers were rated, and the sum
    of these qualities (0..1); the mean cost of an answer in USD, None where none is known."""

    answered: int
    failed: int = 0
    rated: int = 0
    quality: float = 0.0
    cost_usd: float | None = None


class Shift(Data):
    """An entry of the journal of a split's weights, `number` counted from 1; `time` is UTC. The last one is in force.

    `shares` are those of the variants while their weights are `written` so in the pattern; what began before `since`
    counts no more. While `held` nothing is shifted.
    """

    number: int
    time: datetime
    action: Literal["shift", "hold", "release", "reset"]
    held: bool = False
    since: datetime | None = None
    written: dict[str, float]
    shares: dict[str, Share]


def in_force(written: Mapping[str, float], last: Shift | None) -> dict[str, float]:
    """The weights by which requests are sent now. Where the pattern's were changed after the last shift, they are
    these."""
    if last is None or last.written != written or not last.shares:
        return dict(written)
    return {name: share.weight for name, share in last.shares.items()}


def next_shares(
    adaptive: Adaptive, now: Mapping[str, float], seen: Mapping[str, Seen], *, first: bool
) -> dict[str, Share] | str:
    """The shares in place of those of `now`, in any unit, or in a line why these stay. `first` says that nothing has
    been shifted yet. The same is seen in the same way each time."""
    known = {name: seen.get(name, Seen(0)) for name in now}
    for name, one in known.items():
        if first and one.rated < adaptive.least:
            return f"waits for ratings: {name} has {one.rated} of {adaptive.least}"
        if one.answered and one.cost_usd is None:
            return f"what {name} costs is not known; give its models a price in the catalog"
    policy = Policy(floor=adaptive.floor, min_quality=adaptive.min_quality)
    result = shares(now, evidence(known), policy, Random(0))
    total = fsum(now.values())
    if all(abs(share.weight - now[name] / total) < STEP for name, share in result.items()):
        return f"no share would change by {STEP:.0%} or more"
    return result


def evidence(seen: Mapping[str, Seen]) -> dict[str, Evidence]:
    """A failure counts as an answer of no quality, as often as answers are rated. It costs what answers do, or else
    the cheapest: what fails for nothing is not cheap."""
    answered, rated = (sum(getattr(one, what) for one in seen.values()) for what in ("answered", "rated"))
    as_often = rated / answered if answered else 1.0
    costs = {name: one.cost_usd for name, one in seen.items() if one.cost_usd is not None}
    cheapest = min(costs.values(), default=0.0)

    def of(name: str, one: Seen) -> Evidence:
        count = one.rated + round(one.failed * as_often)
        return Evidence(count, one.quality, count * costs.get(name, cheapest))

    return {name: of(name, one) for name, one in seen.items()}
