"""Where a call of a model with several deployments goes, by what this worker has seen of them."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from continuo.activities.breakers import Breakers
from continuo.activities.errors import failed_at
from continuo.config.catalog import Catalog, Model
from continuo.config.settings import not_set
from continuo.decisions.deployments import CACHED_FROM, Candidate, conversation, ranked
from continuo.errors import ProviderError
from continuo.jobs import Job
from continuo.messages import ModelRequest
from continuo.protection.reservation import likely_usd, read_tokens

NEWEST = 0.3
"""What the latest call counts in the moving average of how long they take."""

FORGOTTEN = 60.0
"""Seconds after which how long one takes is found out anew: what was slow once is not avoided for ever."""


class Seen(NamedTuple):
    """How long calls of a deployment took lately, in seconds, and when the last one ended (monotonic); `failed` is its
    identity if it failed."""

    seconds: float
    time: float
    failed: str | None


class Deployments:
    """Puts a model's deployments in the order in which they are asked, and keeps what came of it."""

    def __init__(self, environ: Mapping[str, str], breakers: Breakers, *, simulated: bool) -> None:
        self._environ = environ
        self._breakers = breakers
        self._simulated = simulated
        self._running = Counter[str]()
        self._seen: dict[str, Seen] = {}

    def of(self, catalog: Catalog, model: Model, request: ModelRequest, job: Job, identity: str) -> Sequence[Model]:
        """The model as each deployment serves it that can be asked now, the one to be asked first in front.

        `request` is what the model is asked in the call `identity`. Raises `ProviderError` where breakers leave none.
        """
        allowed, refusals = list[Model](), list[ProviderError]()
        for one in self._set_up(catalog, model) or model.deployed[:1]:
            try:
                self._breakers.check(one.provider)
            except ProviderError as error:
                refusals.append(error)
            else:
                allowed.append(one)
        if not allowed:
            raise refusals[0]
        if len(allowed) == 1:
            return allowed
        strategy, key = model.strategy, identity
        if _sticks(model, request):
            strategy, key = "weight", conversation(request, job.context.session)
        weights = {one.provider: place.weight for place, one in zip(model.deployments, model.deployed, strict=True)}
        candidates = [self._candidate(one, weights[one.provider], request, identity) for one in allowed]
        by_name = {one.provider: one for one in allowed}
        return [by_name[one.name] for one in ranked(candidates, strategy, key)]

    def instead(
        self, catalog: Catalog, model: Model, request: ModelRequest, job: Job, identity: str
    ) -> Sequence[Model]:
        """The same of a model that would answer for another: none where nothing of it can be asked here and now."""
        try:
            return self.of(catalog, model, request, job, identity) if self._set_up(catalog, model) else ()
        except ProviderError:
            return ()

    def _set_up(self, catalog: Catalog, model: Model) -> list[Model]:
        """Those whose key is here."""
        providers = ((one, catalog.providers[one.provider]) for one in model.deployed)
        return [one for one, its in providers if not_set(its, self._environ, simulated=self._simulated) is None]

    def entered(self, model: Model) -> None:
        """A call of it is under way."""
        self._running[model.provider] += 1

    def left(self, model: Model, seconds: float | None, failed: str | None) -> None:
        """It has ended, after so many seconds, None where that tells nothing; `failed` is its identity if it failed."""
        name = model.provider
        self._running[name] -= 1
        if seconds is not None:
            known = self._recent(name)
            # A failure is no measure of what comes after it.
            if known is not None and not failed and not known.failed:
                seconds = NEWEST * seconds + (1 - NEWEST) * known.seconds
            self._seen[name] = Seen(seconds, time.monotonic(), failed)

    def _candidate(self, model: Model, weight: float, request: ModelRequest, identity: str) -> Candidate:
        name, seen = model.provider, self._recent(model.provider)
        return Candidate(
            name=name,
            weight=weight,
            running=self._running[name],
            seconds=seen.seconds if seen else None,
            usd=likely_usd(model, request) if model.strategy == "cost" else None,
            spared=name in failed_at() or (seen is not None and seen.failed == identity),
        )

    def _recent(self, name: str) -> Seen | None:
        seen = self._seen.get(name)
        return seen if seen and time.monotonic() - seen.time < FORGOTTEN else None


def _sticks(model: Model, request: ModelRequest) -> bool:
    """Whether the conversation stays at one deployment: as the model says, else where its cache of prompts pays."""
    if model.sticky is not None:
        return model.sticky
    prices = (one.price for one in model.deployed)
    cheaper = any(price and price.cached is not None and price.cached < price.input for price in prices)
    return cheaper and read_tokens(request) >= CACHED_FROM
