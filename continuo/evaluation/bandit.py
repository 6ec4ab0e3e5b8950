"""Which share of the requests each variant should get, learned from how it did: Thompson sampling.

A variant's share is how likely it is to give the most quality per dollar. How it did is counted over the last requests,
so that one that turns bad is left within as many.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import Field

from continuo.data import Data, Number
from continuo.errors import InputError
from continuo.evaluation.distributions import beta_cdf
from continuo.evaluation.intervals import share_interval

DRAWS = 1_000
SURE = 0.95


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of a variant: its requests, and the sums of their qualities and costs."""

    count: int = 0
    quality: float = 0.0
    cost: float = 0.0

    @property
    def beta(self) -> tuple[float, float]:
        """Of the distribution of its true quality, as far as is known. With nothing known each value is as likely."""
        return 1 + self.quality, 1 + self.count - self.quality


class Policy(Data):
    """`floor` is the share that each variant gets in any case, of 1 for all.

    A variant gets no more once its quality is below `min_quality` with 95 % certainty.
    """

    floor: Annotated[Number, Field(ge=0, lt=1)] = 0.02
    min_quality: Annotated[Number, Field(ge=0, le=1)] = 0.0


class Share(Data):
    """Of a variant, of 1 for all; `why` is a line."""

    weight: float
    why: str


def shares(
    weights: Mapping[str, float], evidence: Mapping[str, Evidence], policy: Policy, random: Random
) -> dict[str, Share]:
    """The next share of each variant of `weights`, which are those by now, in any unit.

    A variant without evidence is taken to cost what the cheapest does. Where the quality of all is too low, cost does
    not count. The same `random` gives the same shares.
    """
    if policy.floor * len(weights) > 1:
        raise InputError(f"floor: {policy.floor:g} for each of {len(weights)} is over 1; lower it")
    known = {name: evidence.get(name, Evidence()) for name in weights}
    below = {name: beta_cdf(policy.min_quality, *seen.beta) for name, seen in known.items()}
    trusted = [name for name in known if below[name] < SURE]
    costs = _costs(known) if trusted else dict.fromkeys(known, 0.0)
    wins = _wins({name: known[name] for name in trusted or known}, costs, random)
    rest = 1 - policy.floor * len(known)
    total = sum(weights.values())

    def share(name: str) -> Share:
        weight = policy.floor + rest * wins[name] / DRAWS
        if name in trusted:
            reason = f"most quality per dollar in {wins[name] / DRAWS:.1%} of draws"
        else:
            reason = f"below the quality of {policy.min_quality:g} with {below[name]:.1%} certainty"
            reason += "" if trusted else f", as all are; the best quality in {wins[name] / DRAWS:.1%} of draws"
        return Share(weight=weight, why=f"{weights[name] / total:.1%} → {weight:.1%}: {_seen(known[name])}; {reason}")

    return {name: share(name) for name in known}


def _seen(evidence: Evidence) -> str:
    if not evidence.count:
        return "nothing seen of it"
    low, high = share_interval(evidence.quality, evidence.count)
    quality, cost = evidence.quality / evidence.count, evidence.cost / evidence.count
    return f"quality {quality:.2f} ({low:.2f} to {high:.2f}) at ${cost:.3g} a request, {evidence.count} seen"


def _costs(known: Mapping[str, Evidence]) -> dict[str, float]:
    """Dollars a request."""
    costs = {name: seen.cost / seen.count for name, seen in known.items() if seen.count}
    cheapest = min(costs.values(), default=0.0)
    return {name: costs.get(name, cheapest) for name in known}


def _wins(known: Mapping[str, Evidence], costs: Mapping[str, float], random: Random) -> Counter[str]:
    """How often each is the best, of `DRAWS` draws of what their qualities may be."""

    def worth(name: str) -> tuple[bool, float]:
        # Per dollar nothing comes near what is free; of several such the better one counts.
        cost = costs[name]
        return not cost, random.betavariate(*known[name].beta) / (cost or 1)

    return Counter(max(known, key=worth) for _ in range(DRAWS))
