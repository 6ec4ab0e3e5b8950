"""What a step takes at worst, and what it is computed with."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from continuo.data import Data

if TYPE_CHECKING:
    from continuo.patterns.base import Retry, Spec


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


class Estimator(Protocol):
    """Estimates steps, each by its own `worst`."""

    def request(self, model: str, max_tokens: int | None, timeout: float) -> Estimate:
        """One request to a model that writes at most so many tokens; None sets no limit of its own."""

    def repeated(self, once: Estimate, retry: "Retry") -> Estimate:
        """Every attempt of something, with the pauses between them."""

    def all(self, steps: "Iterable[Spec]") -> Estimate:
        """All of `steps`, one after the other."""

    def any(self, steps: "Iterable[Spec]") -> Estimate:
        """One of `steps`, whichever is the worst in each figure."""

    def together(self, steps: "Iterable[Spec]", limit: float | None = None) -> Estimate:
        """All of `steps` at once, each for `limit` seconds at most."""

    def within(self, step: "Spec", limit: float | None) -> Estimate:
        """`step`, cancelled after `limit` seconds and then, where it is a saga or holds one, undone."""
