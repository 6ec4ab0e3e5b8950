"""What was spent, by whom and on what, and what is left of the day's budgets: the questions, and what answers them."""

from collections.abc import Mapping
from datetime import date
from functools import partial, reduce
from operator import add
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from continuo.config.catalog import Catalog, Model, Price
from continuo.config.settings import unavailable
from continuo.config.tenants import Tenant
from continuo.data import Data
from continuo.messages import Usage
from continuo.money import NANO

By = Literal["tenant", "user", "key", "model", "pattern", "day"]
Warned = Literal["70 %", "90 %", "spent"]

GROUPS: dict[By, tuple[str, ...]] = {
    "tenant": ("tenant",),
    "user": ("tenant", "user"),
    "key": ("tenant", "api_key"),
    "model": ("model",),
    "pattern": ("pattern",),
    "day": ("day",),
}
"""The columns that the calls of a group share. A user belongs to a tenant: two tenants' "ada" are two."""


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no day; write it as 2026-11-21") from None
    return value


class Query(Data):
    """What is asked: `costs`, or what is left of today's `budget`.

    Costs are of all time, unless `since` and `until` (days, both included) say less. `tenant` None is all of them.
    `against` names the model, or the alias of one, that savings are counted against.
    """

    kind: Literal["costs", "budget"]
    by: By = "tenant"
    since: Annotated[date, BeforeValidator(_day)] | None = None
    until: Annotated[date, BeforeValidator(_day)] | None = None
    tenant: str | None = Field(default=None, min_length=1, max_length=64)
    against: str = "premium"

    @field_validator("by", "since", "until")
    @classmethod
    def _is_for_costs(cls, value: object, info: ValidationInfo) -> object:
        # The defaults stand in every query that was written down.
        if info.data.get("kind") == "budget" and value not in (None, "tenant"):
            raise ValueError("a budget is today's, by tenant; leave it out, or ask for costs")
        return value

    @field_validator("until")
    @classmethod
    def _is_not_before_since(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if since and until and until < since:
            raise ValueError(f"{until} is before since, {since}; swap them")
        return until


class Sums(Data):
    """Of some rows of the ledger; `known` and `nanousd` are of those whose price is known, and `estimated` is
    the part of `nanousd` for tokens that no provider counted."""

    calls: int = 0
    unknown: int = 0
    simulated: int = 0
    usage: Usage = Usage()
    known: Usage = Usage()
    nanousd: int = 0
    estimated: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            calls=self.calls + other.calls,
            unknown=self.unknown + other.unknown,
            simulated=self.simulated + other.simulated,
            usage=self.usage + other.usage,
            known=self.known + other.known,
            nanousd=self.nanousd + other.nanousd,
            estimated=self.estimated + other.estimated,
        )

    def spent_usd(self) -> float | None:
        """None where no call's price is known: unknown is never 0."""
        return None if self.calls and self.calls == self.unknown else self.nanousd / NANO

    def saved_usd(self, price: Price | None) -> float | None:
        """What the calls of known price would have cost at `price`, less what they did; None where that is unknown."""
        if price is None or self.spent_usd() is None:
            return None
        return (round(price.cost(self.known) * NANO) - self.nanousd) / NANO


class Cost(Data):
    """What the calls of one group came to; `group` has the columns that they share, such as {"model": "gpt-6-luna"}.

    `usage` is in tokens, of all calls, simulated ones too. `spent_usd` and `saved_usd` leave out the `unknown_calls`,
    whose price is unknown, and are None where there are no others. `estimated_usd` is the part of `spent_usd` for which
    no provider counted the tokens: calls that were sent and never answered are in it at the most they may cost. Calls
    that were answered from the cache are none.
    """

    group: dict[str, str | None]
    calls: int
    unknown_calls: int
    simulated_calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    spent_usd: float | None
    estimated_usd: float = 0.0
    saved_usd: float | None


class Costs(Data):
    """`saved_usd` is against the model `against`, and None where that has no price."""

    against: str
    rows: tuple[Cost, ...]
    total: Cost


class Day(Data):
    """The money of one tenant on its own `day` of its `zone`, in USD.

    `spent_usd` leaves out the `unknown_calls`, whose price is unknown. `reserved_usd` is the most that the calls under
    way may cost. `utilisation` is the share of `daily_usd` that is spent or reserved, as a route by budget sees it, and
    `warning` the highest level that it has reached. Without a budget these and `remaining_usd` are None.
    """

    tenant: str
    day: date
    zone: str
    daily_usd: float | None
    spent_usd: float
    reserved_usd: float
    remaining_usd: float | None
    utilisation: float | None
    saved_usd: float | None
    unknown_calls: int
    warning: Warned | None


class Days(Data):
    """`saved_usd` is against the model `against`, and None where that has no price."""

    against: str
    rows: tuple[Day, ...]


def baseline(name: str, catalog: Catalog, environ: Mapping[str, str], *, simulated: bool) -> Model:
    """The model that savings are counted against; one that is named itself needs no key, since nobody asks it.

    Raises `InputError` for a name that no model has, and for an alias of which none can be used here.
    """
    model = catalog.models.get(name)
    return model or catalog.resolve(name, partial(unavailable, environ=environ, simulated=simulated))


def costs(groups: Mapping[tuple[tuple[str, str | None], ...], Sums], against: Model) -> Costs:
    """A row for each group, in their order, and their total."""
    rows = tuple(_cost(dict(group), sums, against.price) for group, sums in groups.items())
    return Costs(against=against.id, rows=rows, total=_cost({}, reduce(add, groups.values(), Sums()), against.price))


def _cost(group: dict[str, str | None], sums: Sums, price: Price | None) -> Cost:
    return Cost(
        group=group,
        calls=sums.calls,
        unknown_calls=sums.unknown,
        simulated_calls=sums.simulated,
        input_tokens=sums.usage.input_tokens,
        output_tokens=sums.usage.output_tokens,
        cached_tokens=sums.usage.cached_tokens,
        spent_usd=sums.spent_usd(),
        estimated_usd=sums.estimated / NANO,
        saved_usd=sums.saved_usd(price),
    )


def day_of(name: str, tenant: Tenant, day: date, *, spent: int, reserved: int, sums: Sums, against: Model) -> Day:
    """A tenant's day of which so much is `spent` and `reserved` (nano-dollars), with the sums of its calls."""
    limit, used = tenant.daily_usd, (spent + reserved) / NANO
    utilisation = tenant.used(used)
    return Day(
        tenant=name,
        day=day,
        zone=tenant.zone,
        daily_usd=limit,
        spent_usd=spent / NANO,
        reserved_usd=reserved / NANO,
        remaining_usd=None if limit is None else max(0.0, limit - used),
        utilisation=utilisation,
        saved_usd=sums.saved_usd(against.price),
        unknown_calls=sums.unknown,
        warning=warning(utilisation),
    )


def warning(utilisation: float | None) -> Warned | None:
    """The highest level reached by a share of a budget; without a budget there is none."""
    levels: tuple[tuple[float, Warned], ...] = ((1.0, "spent"), (0.9, "90 %"), (0.7, "70 %"))
    return next((name for level, name in levels if utilisation is not None and utilisation >= level), None)
