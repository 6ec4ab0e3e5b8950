"""What a pattern takes at worst: requests, money and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import singledispatch

from continuo.config.catalog import Catalog
from continuo.data import Data
from continuo.decisions.backoff import delay
from continuo.messages import Usage
from continuo.patterns import (
    Cached,
    Call,
    Cascade,
    Deadline,
    Ensemble,
    Fallback,
    FanOut,
    Http,
    Pipeline,
    Retry,
    Route,
    Saga,
    Spec,
    Split,
    Step,
    Template,
)
from continuo.patterns.choices import Intent, Merge, Meta
from continuo.patterns.walk import specs


class Estimate(Data):
    """At most so many requests to models (every attempt is one), USD, and seconds.

    `cost_usd` is None when a price is unknown: unknown is never 0.
    """

    calls: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Estimate") -> "Estimate":
        """One after the other."""
        return self.beside(other).model_copy(update={"seconds": self.seconds + other.seconds})

    def beside(self, other: "Estimate") -> "Estimate":
        """Both at once."""
        cost = None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd
        return Estimate(calls=self.calls + other.calls, cost_usd=cost, seconds=max(self.seconds, other.seconds))

    def times(self, count: int) -> "Estimate":
        cost = None if self.cost_usd is None else self.cost_usd * count
        return Estimate(calls=self.calls * count, cost_usd=cost, seconds=self.seconds * count)


def estimate(step: Step, catalog: Catalog, *, input_tokens: int, output_tokens: int) -> Estimate:
    """What `step`, its aliases resolved, takes at worst when every call reads `input_tokens`.

    Each attempt is taken to last its whole time-out, to fail, to be charged all the same and to write `output_tokens`,
    or the step's `max_tokens` where that is less. Left out is what has no bound: a provider's `Retry-After`, the
    queue before a worker, and the wait of a parked undo for a person.
    """
    return _worst(step, _Asked(catalog, input_tokens, output_tokens))


@dataclass(frozen=True)
class _Asked:
    catalog: Catalog
    input_tokens: int
    output_tokens: int

    def cost(self, model: str, output_tokens: int) -> float | None:
        """USD of one request, or None: an unknown model's or an alias's price is unknown too."""
        found = self.catalog.models.get(model)
        usage = Usage(input_tokens=self.input_tokens, output_tokens=output_tokens)
        # How long an audio is nobody knows before it is there.
        return found.price.cost(usage) if found and found.price and not found.price.minute else None

    def all(self, steps: Iterable[Spec]) -> Estimate:
        """All of `steps`, one after the other."""
        return sum((_worst(step, self) for step in steps), Estimate())

    def any(self, steps: Iterable[Spec]) -> Estimate:
        """One of `steps`, whichever is the worst in each figure."""
        found = [_worst(step, self) for step in steps]
        costs = [one.cost_usd for one in found]
        return Estimate(
            calls=max((one.calls for one in found), default=0),
            cost_usd=None if None in costs else max((cost for cost in costs if cost is not None), default=0.0),
            seconds=max((one.seconds for one in found), default=0.0),
        )

    def together(self, steps: Iterable[Spec], limit: float | None = None) -> Estimate:
        """All of `steps` at once, each for `limit` seconds at most."""
        found = Estimate()
        for step in steps:
            found = found.beside(self.within(step, limit))
        return found

    def within(self, step: Spec, limit: float | None) -> Estimate:
        """`step`, cancelled after `limit` seconds. A saga in it is then undone, however long that takes."""
        found = _worst(step, self)
        if limit is None:
            return found
        undoing = sum(_undo(saga, self).seconds for saga in specs(step) if isinstance(saga, Saga))
        return found.model_copy(update={"seconds": min(found.seconds, limit + undoing)})


@singledispatch
def _worst(step: Spec, asked: _Asked) -> Estimate:
    raise TypeError(f"no estimate for {type(step).__name__}")


@_worst.register
def _(step: Call, asked: _Asked) -> Estimate:
    output = min(asked.output_tokens, step.max_tokens or asked.output_tokens)
    once = Estimate(calls=1, cost_usd=asked.cost(step.model, output), seconds=step.timeout)
    return _repeated(once, step.retry)


@_worst.register
def _(step: Http, asked: _Asked) -> Estimate:
    return _repeated(Estimate(seconds=step.timeout), step.retry)


@_worst.register
def _(step: Template, asked: _Asked) -> Estimate:
    return Estimate()


@_worst.register(Fallback)
@_worst.register(Cascade)
@_worst.register(Pipeline)
def _(step: Fallback | Cascade | Pipeline, asked: _Asked) -> Estimate:
    return asked.all(step.nested().values())


@_worst.register
def _(step: Route, asked: _Asked) -> Estimate:
    classifier = [step.by.step] if isinstance(step.by, Intent) else []
    return asked.all(classifier) + asked.any(step.branches.values())


@_worst.register
def _(step: FanOut, asked: _Asked) -> Estimate:
    merge = [step.merge.step] if isinstance(step.merge, Merge) else []
    return asked.together(step.branches.values(), step.branch_timeout) + asked.all(merge)


@_worst.register
def _(step: Ensemble, asked: _Asked) -> Estimate:
    # With answers the one decides, without any the other.
    last = [step.combine.step] if isinstance(step.combine, Meta) else []
    return asked.together(step.members) + asked.any([*last, *([step.otherwise] if step.otherwise else [])])


@_worst.register
def _(step: Cached, asked: _Asked) -> Estimate:
    inner = _worst(step.step, asked)
    if step.semantic is None:
        return inner
    # An embedding has no output; it is asked as a call that says nothing of its own time-out and retries.
    return _worst(Call(model=step.semantic.model), _Asked(asked.catalog, asked.input_tokens, 0)) + inner


@_worst.register
def _(step: Deadline, asked: _Asked) -> Estimate:
    return asked.within(step.step, step.limit) + asked.all([step.otherwise] if step.otherwise else [])


@_worst.register
def _(step: Split, asked: _Asked) -> Estimate:
    shadows = asked.together(step.shadow.values()).model_copy(update={"seconds": 0.0})
    return asked.any(variant.step for variant in step.variants.values()) + shadows


@_worst.register
def _(step: Saga, asked: _Asked) -> Estimate:
    return asked.all(part.do for part in step.steps) + _undo(step, asked)


def _undo(saga: Saga, asked: _Asked) -> Estimate:
    undone = (_worst(part.undo, asked) for part in saga.steps if part.undo)
    return sum((_repeated(once, saga.undo_retry) for once in undone), Estimate())


def _repeated(once: Estimate, retry: Retry) -> Estimate:
    waits = retry.attempts - 1
    # The delay grows no more after its 65th, and a series may be of any length.
    growing = min(waits, 65)
    waited = sum(delay(retry, number, None, 1.0) for number in range(1, growing + 1))
    waited += (waits - growing) * delay(retry, 65, None, 1.0)
    return once.times(retry.attempts) + Estimate(seconds=waited)
