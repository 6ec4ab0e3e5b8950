"""What a pattern takes at worst: requests, money and time."""

from collections.abc import Iterable
from dataclasses import dataclass

from continuo.config.catalog import Catalog
from continuo.decisions.backoff import delay
from continuo.messages import Usage
from continuo.patterns import Retry, Spec, Step
from continuo.patterns.walk import specs
from continuo.patterns.worst import Estimate


def estimate(step: Step, catalog: Catalog, *, input_tokens: int, output_tokens: int) -> Estimate:
    """What `step`, its aliases resolved, takes at worst when every call reads `input_tokens`.

    Each attempt is taken to last its whole time-out, to fail, to be charged all the same and to write `output_tokens`,
    or the step's `max_tokens` where that is less. Left out is what has no bound: a provider's `Retry-After`, the
    queue before a worker, and the wait of a parked undo for a person.
    """
    return step.worst(_Estimator(catalog, input_tokens, output_tokens))


def once(step: Step, catalog: Catalog, *, input_tokens: int, output_tokens: int) -> float | None:
    """What `step` costs in USD where no call of it is tried again, None where a price is unknown."""
    return step.worst(_Once(catalog, input_tokens, output_tokens)).cost_usd


@dataclass(frozen=True)
class _Estimator:
    catalog: Catalog
    input_tokens: int
    output_tokens: int

    def request(self, model: str, max_tokens: int | None, timeout: float) -> Estimate:
        output = self.output_tokens if max_tokens is None else min(self.output_tokens, max_tokens)
        usage = Usage(input_tokens=self.input_tokens, output_tokens=output)
        known = self.catalog.models.get(model)
        # An unknown model's or an alias's price is unknown too, and how long an audio is before it is there.
        prices = [deployed.price for deployed in known.deployed] if known else []
        costs = [price.cost(usage) for price in prices if price and not price.minute]
        cost = max(costs) if costs and len(costs) == len(prices) else None
        return Estimate(calls=1, cost_usd=cost, seconds=timeout)

    def repeated(self, once: Estimate, retry: Retry) -> Estimate:
        waits = retry.attempts - 1
        # The delay grows no more after its 65th, and a series may be of any length.
        growing = min(waits, 65)
        waited = sum(delay(retry, number, None, 1.0) for number in range(1, growing + 1))
        waited += (waits - growing) * delay(retry, 65, None, 1.0)
        return once.times(retry.attempts) + Estimate(seconds=waited)

    def all(self, steps: Iterable[Spec]) -> Estimate:
        return sum((step.worst(self) for step in steps), Estimate())

    def any(self, steps: Iterable[Spec]) -> Estimate:
        each = [step.worst(self) for step in steps]
        costs = [one.cost_usd for one in each]
        return Estimate(
            calls=max((one.calls for one in each), default=0),
            cost_usd=None if None in costs else max((cost for cost in costs if cost is not None), default=0.0),
            seconds=max((one.seconds for one in each), default=0.0),
        )

    def together(self, steps: Iterable[Spec], limit: float | None = None) -> Estimate:
        all_at_once = Estimate()
        for step in steps:
            all_at_once = all_at_once.beside(self.within(step, limit))
        return all_at_once

    def within(self, step: Spec, limit: float | None) -> Estimate:
        worst = step.worst(self)
        if limit is None:
            return worst
        undoing = sum(spec.undone(self).seconds for spec in specs(step))
        return worst.model_copy(update={"seconds": min(worst.seconds, limit + undoing)})


class _Once(_Estimator):
    def repeated(self, once: Estimate, retry: Retry) -> Estimate:
        return once
