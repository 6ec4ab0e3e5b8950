"""A batch: one pattern over many items, each of which is a run of its own; and what is known of it."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from continuo.data import WHEN_SET, Data, Int, Seconds
from continuo.decisions.off_peak import OffPeak
from continuo.jobs import CANCELLED, Context, Failure, Job, Outcome, Priority, TenantName, Usd, is_name, total_cost
from continuo.messages import ModelRequest
from continuo.patterns import Step

TYPE = "Batch"
"""The workflow type."""

BatchState = Literal["loading", "planned", "running", "done", "stopped", "spent", "cancelled"]
"""`loading`: its items are being kept, and nothing has begun. `planned`: they are those of a schedule, which runs
a copy each time. `done`: each item has ended. `stopped`: by hand, when what was under way had ended. `spent`: its
budget was. `cancelled`: with what was under way."""

ItemState = Literal["waiting", "done", "failed", "cancelled"]
"""What is under way is waiting too."""

MAX_WINDOW = 500

MOST_EVENTS = 10_000
"""Of the history of one run of a batch's workflow, unless the server wants less."""


def _batch_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError(f"{value[:80]!r} is no batch's id; write at most 100 letters, digits, dots, _ and -")
    return value


BatchId = Annotated[str, AfterValidator(_batch_id)]
"""Without slashes, so that no batch has the workflow id of another one's item."""


class Origin(Data):
    """Where a batch came in: by which API, for which of its paths, from which file of the caller; and what the caller
    noted of it. `cancelling` is when (UTC) the caller has had enough of it, and `webhook` is told of its end."""

    api: Literal["openai", "anthropic"]
    endpoint: str
    file: str | None = None
    metadata: dict[str, str] | None = None
    cancelling: datetime | None = None
    webhook: Annotated[str | None, WHEN_SET] = None


class AtProvider(Data):
    """That the items go into batches of the provider's own. What these have not answered shortly before the end of
    `within` seconds is asked for by single calls."""

    within: Seconds | None = None


class Terms(Data):
    """How the items of a batch are done: by `step`, for `context`, of which `deadline` is that of each item.

    `window` runs are under way at once. No more are begun once `budget_usd` is spent, nor outside `off_peak`. With
    `at_provider` there are no runs, as long as its batches answer.
    """

    step: Step
    context: Context
    window: Annotated[Int, Field(ge=1, le=MAX_WINDOW)] = 50
    budget_usd: Annotated[Usd | None, WHEN_SET] = None
    off_peak: Annotated[OffPeak | None, WHEN_SET] = None
    origin: Annotated[Origin | None, WHEN_SET] = None
    at_provider: Annotated[AtProvider | None, WHEN_SET] = None

    @property
    def cancelling(self) -> datetime | None:
        return None if self.origin is None else self.origin.cancelling

    def cancelled(self, when: datetime | None) -> "Terms":
        """The same, which its caller has had enough of at that time, or not."""
        origin = self.origin and self.origin.model_copy(update={"cancelling": when})
        return self.model_copy(update={"origin": origin})


class Item(Data):
    """One item: its place in the batch, from 1, its own `id` if its caller gave it one, and its input.

    `step`, `pattern` and `priority` are its own where they are not the batch's, and `rule` is what decided so; so is
    the user whom its request names. `decisions` are those of the stages on it. `echo` is what its answer tells of its
    request. `named` is the pattern that a schedule's item is for, whatever a rule made of it, where that is not the
    batch's.
    """

    number: int
    own: Annotated[str | None, WHEN_SET] = None
    request: ModelRequest
    data: dict[str, JsonValue] = {}
    step: Annotated[Step | None, WHEN_SET] = None
    pattern: Annotated[str | None, WHEN_SET] = None
    priority: Annotated[Priority | None, WHEN_SET] = None
    rule: Annotated[str | None, WHEN_SET] = None
    named: Annotated[str | None, WHEN_SET] = None
    decisions: Annotated[tuple[dict[str, JsonValue], ...], WHEN_SET] = ()
    echo: Annotated[dict[str, JsonValue], WHEN_SET] = {}

    def job(self, terms: Terms) -> Job:
        user = self.request.user
        update = {
            "pattern": self.pattern,
            "priority": self.priority,
            # The caller's own word for them, which may be none of ours.
            "user": user if user and is_name(user) else None,
        }
        context = terms.context.model_copy(update={name: value for name, value in update.items() if value is not None})
        step = self.step or terms.step
        own = {"data": self.data, "rule": self.rule, "decisions": self.decisions}
        return Job(step=step, context=context, request=self.request, **own)


class Tally(Data):
    """How many items of a batch are in each state, and what they have cost: `unpriced` are those of unknown cost."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    @property
    def items(self) -> int:
        return self.waiting + self.ended

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in Tally.model_fields})


class Ended(Data):
    """How the run of an item has ended: with one of the two."""

    number: int
    outcome: Outcome | None = None
    failure: Failure | None = None

    @property
    def state(self) -> ItemState:
        if self.failure is None:
            return "done"
        return "cancelled" if self.failure.type == CANCELLED else "failed"

    @property
    def cost_usd(self) -> float | None:
        """That of all its calls; None where that is unknown."""
        end = self.outcome or self.failure
        return total_cost(end.calls) if end else 0.0

    def counted(self) -> Tally:
        """What changes in its batch's tally."""
        cost = self.cost_usd
        return Tally(waiting=-1, cost_usd=cost or 0.0, unpriced=int(cost is None)).model_copy(update={self.state: 1})


class BatchRow(Data):
    """A batch as lists show it; `created` and `ended` are in UTC, and `digest` that of its items."""

    tenant: TenantName
    id: str
    pattern: str
    created: datetime
    state: BatchState
    digest: str
    ended: datetime | None = None
    tally: Tally


class BatchRows(Data):
    """Batches, the newest first."""

    rows: tuple[BatchRow, ...]


class Position(Data):
    """Where a batch's workflow stands: `after` is the last item that it has read, and `open` are those that an earlier
    run of it has begun, and of whose end it does not know yet. `stopped` says that no more are begun. `since` is when
    (UTC) the first run of one at a provider began."""

    tenant: TenantName
    id: str
    after: int = 0
    open: tuple[int, ...] = ()
    stopped: bool = False
    since: Annotated[datetime | None, WHEN_SET] = None


class Begun(Data):
    """What a batch's workflow reads when it begins."""

    terms: Terms
    tally: Tally


class Page(Data):
    """The next items that wait, of which it has the `last` one or not."""

    items: tuple[Item, ...] = ()
    last: bool = False


class Window(Data):
    """From when until when (UTC) items may begin: now, or next."""

    opens: datetime
    closes: datetime


class Looked(Data):
    """Of items begun by an earlier run: those that have ended, as counted now, and those that nobody has begun."""

    ended: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    tally: Tally = Tally()


class Standing(Data):
    """What the workflow's query `standing` answers."""

    tally: Tally
    in_flight: tuple[int, ...]


def workflow_id(tenant: str, id: str) -> str:
    """That of a batch. No pattern's run has a colon there."""
    return f"batch:{tenant}/{id}"


def run_id(tenant: str, id: str, number: int) -> str:
    """The workflow id of an item's run, whenever it runs."""
    return f"{workflow_id(tenant, id)}/{number}"
