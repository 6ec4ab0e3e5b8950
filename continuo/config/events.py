"""Who is told of what happens: `events.toml`."""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Int
from continuo.jobs import Name, TenantName

Type = Literal[
    "run.completed", "run.failed", "run.cancelled", "call.completed", "budget.exceeded",
    "breaker.opened", "breaker.half_opened", "breaker.closed", "review.opened", "review.decided",
    "dead_letter.added", "dead_letter.closed", "alert.fired", "alert.recovered",
]  # fmt: skip
TYPES: tuple[Type, ...] = get_args(Type)


def _kind(name: str) -> str:
    known = {*TYPES, *(f"{name.partition('.')[0]}.*" for name in TYPES)}
    if name not in known:
        raise ValueError(f"{name[:50]!r} is no type of events; known: {', '.join(sorted(known))}")
    return name


Kind = Annotated[str, AfterValidator(_kind)]
"""A type, or all of a kind, such as `run.*`."""

SubscriberName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Wanted(Data):
    """Which events somebody wants: those of one of the `types`, of one of the `tenants` and of one of the `patterns`;
    without any of these, of all. What has no tenant, such as a breaker, is of none."""

    types: tuple[Kind, ...] = ()
    tenants: tuple[TenantName, ...] = ()
    patterns: tuple[Name, ...] = ()

    def holds(self, type: str, tenant: str | None, pattern: str | None) -> bool:
        return (
            (not self.types or type in self.types or f"{type.partition('.')[0]}.*" in self.types)
            and (not self.tenants or tenant in self.tenants)
            and (not self.patterns or pattern in self.patterns)
        )


class Subscriber(Wanted):
    """Where the events go: to the address `url`, or to the stream called `redis` of the server that `REDIS_URL` names,
    which is cut to about its `longest` entries."""

    url: str | None = None
    redis: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    longest: Int = Field(default=100_000, ge=1, le=10_000_000)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.url is None) == (self.redis is None):
            raise ValueError('write `url`, such as "https://example.com/hook", or `redis`, the name of a stream')
        if self.redis is None and "longest" in self.model_fields_set:
            raise ValueError("longest: it is that of a Redis stream; leave it out")
        return self


class Subscribers(Data):
    """`source` is the CloudEvents source of every event: who has several installations tells them apart by it."""

    source: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S+$")] = "/continuo"
    subscribers: dict[SubscriberName, Subscriber] = Field(default={}, max_length=100)


def load_events(path: Path) -> Subscribers:
    """Read a file of subscribers. Raises `InputError` naming the file and the field."""
    return checked(Subscribers, read_toml(path, "events"), path)
