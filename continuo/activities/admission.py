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
from continuo.config.tenants import Tenant
from continuo.decisions.settled import settled
from continuo.errors import ProviderError
from continuo.jobs import CallRecord, Context, Job
from continuo.messages import ModelRequest, Usage
from continuo.patterns import Call
from continuo.protection.rate_limits import SHORTEST, Wait
from continuo.protection.reservation import capped, is_free, likely_tokens, most_usage, most_usd, total
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.ledger import Paid
from continuo.stores.limits import LimitStore


@dataclass(frozen=True)
class Admitted:
    """A call that may go now, to `model`; `reason` says why that is not the model that was wanted.
    `replaces` is the retired model that was asked for, where one was. `catalog` is what the attempt knows, whatever is
    edited meanwhile.

    `time` (seconds since 1970), `lease` (seconds) and `tokens` are what it is counted as, `identity` is what its place
    under the limits is held and its money `reserved` under. `unanswered` is what the attempt is booked as when it is
    sent and never answered. One that is `gathered` goes with others, for which the limits are asked once, see `enter`.
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
    replaces: str | None = None
    reason: str | None = None
    reserved: bool = False
    gathered: bool = False


class Admission:
    """Counts a call before it is made, and settles with what it came to."""

    def __init__(self, library: Library, deployments: Deployments, budgets: Budgets, limits: LimitStore) -> None:
        self._library = library
        self._deployments = deployments
        self._budgets = budgets
        self._limits = limits
        # By model and deployment of several: until when it is taken to have no room, and why.
        self._full: dict[tuple[str, str], tuple[float, Wait]] = {}

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
        now, turn, replaces = time.time(), f"{run_id()}/{job.path}", _replaces(job, wanted)
        refusals: list[tuple[Model, Wait]] = []
        chain = list(self._chain(catalog, wanted, job, identity))
        for model in chain:
            request = fill(model)
            unanswered, likely = _unanswered(job, model, request, attempt), likely_tokens(request)
            # Another deployment of the model that was wanted is no other answer.
            reasons = [f"{one.id}: {wait.why}" for one, wait in refusals if one.id != model.id]
            reason = reasons[-1] if reasons else None
            admitted = Admitted(
                catalog, identity, attempt, model, request, now, lease, likely, unanswered, replaces, reason
            )
            if (refusal := await self.enter(admitted, turn, queue=model.id == chain[-1].id)) is None:
                break
            refusals.append((model, refusal))
        else:
            return min((wait for model, wait in refusals if model.id == chain[-1].id), key=lambda one: one.seconds)
        # Where it may have waited before.
        waited = ChainMap(*(_scopes(catalog, one) for one in chain if one.id == chain[-1].id and one is not model))
        try:
            await unless_broken("the store of limits", self._limits.forgo(waited, turn=turn))
            return await self._reserved(job, admitted, now + lease)
        except BaseException:
            await self.leave(admitted, None)
            raise

    async def gathered(
        self,
        catalog: Catalog,
        job: Job,
        wanted: Model,
        request: ModelRequest,
        identity: str,
        attempt: int,
        lease: float,
    ) -> Admitted | Wait:
        """Let a call go that others share, as far as breakers and budget allow it; its limits are asked by `enter`.

        Where these have just left no room at any of several deployments, say when to ask again.
        """
        now, likely = time.time(), likely_tokens(request)
        allowed = self._deployments.of(catalog, wanted, request, job, identity)
        full = {key: wait for key, (until, wait) in self._full.items() if now < until}
        if (model := next((one for one in allowed if (one.id, one.provider) not in full), None)) is None:
            return min((full[one.id, one.provider] for one in allowed), key=lambda wait: wait.seconds)
        unanswered = _unanswered(job, model, request, attempt)
        replaces = _replaces(job, wanted)
        admitted = Admitted(
            catalog, identity, attempt, model, request, now, lease, likely, unanswered, replaces, gathered=True
        )
        return await self._reserved(job, admitted, now + lease)

    async def enter(self, admitted: Admitted, turn: str, *, queue: bool) -> Wait | None:
        """None: it is counted under the limits of its model, until it leaves. Else it is told to wait, with `queue` as
        `turn`, see `LimitStore`."""
        asking = self._limits.admit(
            _scopes(admitted.catalog, admitted.model),
            # The next attempt of a call whose worker was killed takes its place over.
            place=admitted.identity,
            turn=turn,
            tokens=admitted.tokens,
            lease=admitted.lease,
            queue=queue,
            now=admitted.time,
        )
        # Where nobody can tell how much is used, the provider says when it is too much.
        refusal = await unless_broken("the store of limits", asking)
        if refusal is None:
            self._deployments.entered(admitted.model)
        elif len(admitted.model.deployments) > 1:
            self._full[admitted.model.id, admitted.model.provider] = (time.time() + SHORTEST, refusal)
        return refusal

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
            model = catalog.current(model.cheaper) if model.cheaper else None

    async def _reserved(self, job: Job, admitted: Admitted, expires: float) -> Admitted:
        """Set aside what the attempt may cost, with or without a budget: one that dies is booked at that."""
        # A local activity's attempts are counted by what they reserved.
        if is_free(admitted.model) and not activity.info().is_local:
            return admitted
        simulated = admitted.catalog.providers[admitted.model.provider].simulated
        paid = Paid(record=admitted.unanswered, context=job.context, simulated=simulated)
        await self.set_aside(
            admitted.model, paid, admitted.identity, admitted.attempt, now=admitted.time, expires=expires
        )
        # Without a limit on what may be written there is no most that a call may cost.
        limited = await self.limited(job.context)
        return replace(admitted, request=capped(admitted.request) if limited else admitted.request, reserved=True)

    async def limited(self, context: Context) -> bool:
        """Whether there is a budget."""
        return any(usd is not None for usd in _budgets(await self._library.tenant(context.tenant), context).values())

    async def set_aside(
        self,
        model: Model,
        paid: Paid,
        identity: str,
        attempt: int,
        *,
        now: float,
        expires: float,
        what: str = "this call",
    ) -> None:
        """Reserve what is `paid` if nothing is answered until it `expires`; times are seconds since 1970.

        Raises `ProviderError` where a budget has not so much left. `what` is to be sent, as people read it.
        """
        context = paid.context
        tenant, key = context.tenant, context.key
        account = await self._library.tenant(tenant)
        limits = _budgets(account, context)
        limit = account.daily_usd
        if any(usd is not None for usd in limits.values()) and model.price is None:
            whose = f"key {context.key_id}" if limit is None else f"tenant {tenant!r}"
            message = f"{whose} has a budget, and model {model.id!r} no price; give it one in the catalog"
            raise ProviderError("invalid_request", message)
        most, day = paid.record.cost_usd or 0.0, account.day(datetime.now(UTC))
        wanted = Reservation(
            identity=identity,
            attempt=attempt,
            tenant=tenant,
            day=day,
            usd=most,
            expires=expires,
            paid=paid,
            key=key,
        )
        balance = await patiently("the budget", lambda: self._budgets.reserve(wanted, limit=limit, now=now))
        if balance is not None:
            whose, fix = f"key {context.key_id}", "use a key with a larger budget"
            if balance.of == "tenant's day":
                whose, fix = f"tenant {tenant!r}", "raise daily_usd in config/tenants.toml"
            period = f"{day:%Y-%m}" if balance.of == "key's month" else day
            raise ProviderError(
                "budget_spent",
                f"{whose} has spent ${balance.spent:.6f} and reserved ${balance.reserved:.6f} of"
                f" ${limits[balance.of]:.2f} for {period} ({account.zone}), and {what} to {model.id} may cost"
                f" ${most:.6f}; {fix}, lower max_tokens, or let a free model answer",
            )


def _replaces(job: Job, wanted: Model) -> str | None:
    assert isinstance(job.step, Call)
    return job.step.replaces or (job.step.model if job.step.model != wanted.id else None)


def _budgets(account: Tenant, context: Context) -> dict[str, float | None]:
    key = context.key
    return {
        "tenant's day": account.daily_usd,
        "key's day": key.daily_usd if key else None,
        "key's month": key.monthly_usd if key else None,
    }


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
