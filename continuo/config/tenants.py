"""What each tenant may spend and how much of the workers it gets: `tenants.toml`."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Int, Number
from continuo.errors import unknown
from continuo.jobs import TenantName
from continuo.patterns.review import GroupName, Notify, Reviewer

NANO_USD = 1e-9
"""The least money that is counted: a budget below it is one of nothing."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name[:80]!r} is no time zone; write an IANA name, such as Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]
"""An IANA name."""


class Tenant(Data):
    """`daily_usd` is what its calls may cost in one day of its `zone`; None is no budget.

    `weight` is its share of a busy queue beside the other tenants'. `audit_days` is how long its audit is kept; None is
    for ever.
    """

    daily_usd: Number | None = Field(default=None, ge=0, le=1e9)
    zone: Zone = "UTC"
    weight: Number = Field(default=1.0, ge=0.001, le=1000)
    audit_days: Int | None = Field(default=None, ge=1, le=36_500)

    def used(self, usd: float) -> float | None:
        """The share of a day's budget that `usd` is, all of a budget of 0; None without a budget."""
        if self.daily_usd is None:
            return None
        return usd / self.daily_usd if self.daily_usd >= NANO_USD else 1.0

    def day(self, now: datetime) -> date:
        """The day that it is for the tenant; `now` has a time zone."""
        return now.astimezone(ZoneInfo(self.zone)).date()


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"{name!r} is in it twice; leave one out")
    return names


Members = Annotated[tuple[Reviewer, ...], Field(min_length=1, max_length=100), AfterValidator(_once)]


class Tenants(Data):
    """`default` holds for every tenant that is not listed. `groups` are those of reviewers, by their names, for all,
    and `notify` where each of them is told what waits for it."""

    default: Tenant = Tenant()
    tenants: dict[TenantName, Tenant] = {}
    groups: dict[GroupName, Members] = {}
    notify: dict[GroupName, Notify] = {}

    @model_validator(mode="after")
    def _tells_groups(self) -> Self:
        for name in self.notify:
            if name not in self.groups:
                raise unknown("group in notify:", name, self.groups)
        return self

    def of(self, name: str) -> Tenant:
        return self.tenants.get(name, self.default)


def load_tenants(path: Path) -> Tenants:
    """Read a file of tenants. Raises `InputError` naming the file and the field."""
    return checked(Tenants, read_toml(path, "tenants"), path)
