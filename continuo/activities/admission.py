"""Before a provider is asked: its limits leave room for the call, and the tenant's budget for what it may cost."""

import time
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from temporalio import activity

from continuo.activities.deployments import Deployments
from continuo.activities.errors import patiently, unless_broken
from continuo.activities.identity import run_id
from continuo.authoring.library import Library
from continuo.config.catalog import Catalog, Limits, Model
from continuo.decisions.settled import settled
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Job
from continuo.messages import ModelRequest, Usage
from continuo.patterns import Call
from continuo.protection.rate_limits import Wait
from continuo.protection.reservation import capped, is_free, likely_tokens, most_usage, most_usd, total
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.ledger import Paid
from continuo.stores.limits import LimitStore


@dataclass(frozen=True)
class Admitted:
    """A call that may go now, to `model`; `reason` says why that is not the model that was wanted.
    `catalog` is what the attempt knows, whatever is edited meanwhile.

    `time` (seconds since 1970), `lease` (seconds) and `tokens` are what it is counted as, `identity` is what its place
    under the limits is held and its money `reserved` under. `unanswered` is what the attempt is booked as when it is
    sent and never answered.
    """

    catalog: Catalog
    identity: str
    attempt: int
    model: Model
    request: ModelRequest
    time: float
    lease: float
    tokens: int
    unanswered: CallRecord
    reason: str | None = None
    reserved: bool = False


class Admission:
    """Counts a call before it is made, and settles with what it came to."""

    def __init__(self, library: Library, deployments: Deployments, budgets: Budgets, limits: LimitStore) -> None:
        self._library = library
        self._deployments = deployments
        self._budgets = budgets
        self._limits = limits

    async def today(self, tenant: str) -> date:
        """The tenant's day."""
        return (await self._library.tenant(tenant)).day(datetime.now(UTC))

    @activity.defn(name="budget_used")
    async def used(self, tenant: str) -> float:
        """The share of the tenant's money for the day that is spent or reserved, 0 where there is no budget."""
        account = await self._library.tenant(tenant)
        if account.daily_usd is None:
            return 0.0
        balance = await self._budgets.balance(tenant, account.day(datetime.now(UTC)))
        return account.used(balance.spent + balance.reserved) or 0.0

    async def admit(
        self,
        catalog: Catalog,
        job: Job,
        wanted: Model,
        fill: Callable[[Model], ModelRequest],
        identity: str,
        attempt: int,
        lease: float,
    ) -> Admitted | Wait:
        """Let the call go to `wanted`, or to a cheaper model while its limits are used up; else say when to ask again.

        `catalog` is the one of the attempt, from its beginning to its end.
        `fill` makes the request for a model. What it may cost is reserved under `identity`, for `lease` seconds at
        most. Raises `ProviderError` when the budget does not allow it.
        """
        now, turn = time.time(), f"{run_id()}/{job.path}"
        refusals: list[tuple[Model, Wait]] = []
        chain = list(self._chain(catalog, wanted, job, identity))
        for model in chain:
            request = fill(model)
            unanswered, likely = _unanswered(job, model, request, attempt), likely_tokens(request)
            # Another deployment of the model that was wanted is no other answer.
            reasons = [f"{one.id}: {wait.why}" for one, wait in refusals if one.id != model.id]
            reason = reasons[-1] if reasons else None
            admitted = Admitted(catalog, identity, attempt, model, request, now, lease, likely, unanswered, reason)
            asking = self._limits.admit(
                _scopes(catalog, model),
                # The next attempt of a call whose worker was killed takes its place over.
                place=identity,
                turn=turn,
                tokens=admitted.tokens,
                lease=lease,
                queue=model.id == chain[-1].id,
                now=now,
            )
            # Where nobody can tell how much is used, the provider says when it is too much.
            if (refusal := await unless_broken("the store of limits", asking)) is None:
                break
            refusals.append((model, refusal))
        else:
            return min((wait for model, wait in refusals if model.id == chain[-1].id), key=lambda one: one.seconds)
        self._deployments.entered(model)
        # Where it may have waited before.
        waited = ChainMap(*(_scopes(catalog, one) for one in chain if one.id == chain[-1].id and one is not model))
        try:
            await unless_broken("the store of limits", self._limits.forgo(waited, turn=turn))
            return await self._reserved(job, admitted, now + lease)
        except BaseException:
            await self.leave(admitted, None)
            raise

    async def leave(
        self, admitted: Admitted, usage: Usage | None, seconds: float | None = None, *, failed: bool = False
    ) -> None:
        """The call has ended, and used so much: its place under the limits is free. Its money is settled apart.

        `seconds` is how long it took, None where that tells nothing, as of one that was never sent.
        """
        self._deployments.left(admitted.model, seconds, admitted.identity if failed else None)
        tokens = (total(usage) if usage else 0) - admitted.tokens
        settling = self._limits.settle(
            _scopes(admitted.catalog, admitted.model),
            place=admitted.identity,
            admitted=admitted.time,
            lease=admitted.lease,
            tokens=tokens,
        )
        await unless_broken("the store of limits", settling)

    def _chain(self, catalog: Catalog, wanted: Model, job: Job, identity: str) -> Iterator[Model]:
        """The model, the one that is cheaper, the one that is cheaper than that: each that has its key here, and takes
        what the request holds and demands; of one with deployments those that can be asked now, the best in front.

        Raises `ProviderError` where a breaker leaves the first one alone.
        """
        assert isinstance(job.step, Call)
        request = settled(job.step, job.request)
        seen: set[str] = set()
        model: Model | None = wanted
        while model is not None and model.id not in seen:
            if model is wanted:
                yield from self._deployments.of(catalog, model, request, job, identity)
            elif catalog.takes(model, request):
                yield from self._deployments.instead(catalog, model, request, job, identity)
            seen.add(model.id)
            model = catalog.models[model.cheaper] if model.cheaper else None

    async def _reserved(self, job: Job, admitted: Admitted, expires: float) -> Admitted:
        """Set aside what the attempt may cost, with or without a budget: one that dies is booked at that."""
        tenant, key, model = job.context.tenant, job.context.key, admitted.model
        account = await self._library.tenant(tenant)
        limit = account.daily_usd
        limits = {"tenant's day": limit, "key's day": key and key.daily_usd, "key's month": key and key.monthly_usd}
        limited = any(usd is not None for usd in limits.values())
        # A local activity's attempts are counted by what they reserved.
        if is_free(model) and not activity.info().is_local:
            return admitted
        if limited and model.price is None:
            whose = f"key {job.context.key_id}" if limit is None else f"tenant {tenant!r}"
            what = f"{whose} has a budget, and model {model.id!r} no price; give it one in the catalog"
            raise ProviderError("invalid_request", what)
        most, day = admitted.unanswered.cost_usd or 0.0, account.day(datetime.now(UTC))
        simulated = admitted.catalog.providers[model.provider].simulated
        wanted = Reservation(
            identity=admitted.identity,
            attempt=admitted.attempt,
            tenant=tenant,
            day=day,
            usd=most,
            expires=expires,
            paid=Paid(record=admitted.unanswered, context=job.context, simulated=simulated),
            key=key,
        )
        balance = await patiently("the budget", lambda: self._budgets.reserve(wanted, limit=limit, now=admitted.time))
        if balance is not None:
            whose, fix = f"key {job.context.key_id}", "use a key with a larger budget"
            if balance.of == "tenant's day":
                whose, fix = f"tenant {tenant!r}", "raise daily_usd in config/tenants.toml"
            period = f"{day:%Y-%m}" if balance.of == "key's month" else day
            raise ProviderError(
                "budget_spent",
                f"{whose} has spent ${balance.spent:.6f} and reserved ${balance.reserved:.6f} of"
                f" ${limits[balance.of]:.2f} for {period} ({account.zone}), and this call to {model.id} may cost"
                f" ${most:.6f}; {fix}, lower max_tokens, or let a free model answer",
            )
        # Without a limit on what may be written there is no most that a call may cost.
        request = capped(admitted.request) if limited else admitted.request
        return replace(admitted, request=request, reserved=True)


def _scopes(catalog: Catalog, model: Model) -> dict[str, Limits]:
    provider = catalog.providers[model.provider]
    return {f"provider/{model.provider}": provider.limits, f"model/{model.id}": model.limits}


def _unanswered(job: Job, model: Model, request: ModelRequest, attempt: int) -> CallRecord:
    most = capped(request)
    return CallRecord(
        path=job.path,
        model=model.id,
        provider=model.provider,
        attempts=attempt,
        status="lost",
        error="sent, and never answered",
        usage=most_usage(most),
        cost_usd=round(most_usd(model, most), 9) if model.price else None,
    )
