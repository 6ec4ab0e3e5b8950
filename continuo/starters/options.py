"""The options that several commands have."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from continuo.authoring.prepare import validated
from continuo.data import seconds
from continuo.errors import InputError
from continuo.jobs import Context, Prefer, Priority

LONGEST = 3650.0
"""Days that a time span may have."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Whom:
    """For whom something is run."""

    tenant: str = "default"
    "Who pays: budgets, fairness and reports are by tenant."
    user: str | None = None
    "The tenant's user; a split keeps each at one variant."
    session: str | None = None
    "The user's session, for a split by session."
    prefer: Prefer | None = None
    "What a route by preference follows."
    priority: Priority = "standard"
    "Which pool runs it."
    deadline: str | None = None
    "Cancel it after this long, in seconds or such as 30s or 5m; a saga is then undone."

    def context(self, **more: object) -> Context:
        """For whom the door starts the run. Raises `InputError` for a wrong value."""
        return validated(
            Context,
            tenant=self.tenant,
            user=self.user,
            session=self.session,
            prefer=self.prefer,
            priority=self.priority,
            deadline=f"{self.deadline}s" if (self.deadline or "").isdecimal() else self.deadline,
            **more,
        )


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RunOptions(Whom):
    """For whom the run is, and how its end is told."""

    conversation: str | None = None
    "Go on with what was said to an agent under this name before, also while it runs."
    detach: Annotated[bool, Parameter(negative=())] = False
    "Print the run's id and return at once."
    json: Annotated[bool, Parameter(negative=())] = False
    "Print the outcome alone, as JSON."

    def context(self, **more: object) -> Context:
        return super().context(conversation=self.conversation, **more)


def timespan(option: str, text: str) -> timedelta:
    """What an option such as `--grace` says, 24h or 90d. Raises `InputError` naming the option."""
    try:
        span = timedelta(seconds=float(str(seconds(text))))
    except (ValueError, OverflowError):
        raise InputError(
            f"{option}: {text!r} is not a duration; write a number and a unit, such as 24h or 90d"
        ) from None
    if span > timedelta(days=LONGEST):
        raise InputError(f"{option}: {text} is more than {LONGEST:.0f} days; name a shorter one")
    return span
