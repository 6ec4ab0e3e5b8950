"""What each tenant may spend and how much of the workers it gets: `tenants.toml`."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Number
from continuo.jobs import TenantName

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

    `weight` is its share of a busy queue beside the other tenants'.
    """

    daily_usd: Number | None = Field(default=None, ge=0, le=1e9)
    zone: Zone = "UTC"
    weight: Number = Field(default=1.0, ge=0.001, le=1000)

    def used(self, usd: float) -> float | None:
        """The share of a day's budget that `usd` is, all of a budget of 0; None without a budget."""
        if self.daily_usd is None:
            return None
        return usd / self.daily_usd if self.daily_usd >= NANO_USD else 1.0

    def day(self, now: datetime) -> date:
        """The day that it is for the tenant; `now` has a time zone."""
        return now.astimezone(ZoneInfo(self.zone)).date()


class Tenants(Data):
    """`default` holds for every tenant that is not listed."""

    default: Tenant = Tenant()
    tenants: dict[TenantName, Tenant] = {}

    def of(self, name: str) -> Tenant:
        return self.tenants.get(name, self.default)


def load_tenants(path: Path) -> Tenants:
    """Read a file of tenants. Raises `InputError` naming the file and the field."""
    return checked(Tenants, read_toml(path, "tenants"), path)
