"""The row of a run: what it was, what it came to and what it cost."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from continuo.cut import cut
from continuo.data import Data, seconds
from continuo.jobs import Account, Failure, Outcome, ServedBy, total_cost
from continuo.messages import Usage

RunStatus = Literal["running", "done", "failed", "cancelled", "terminated", "timed_out", "continued", "forgotten"]
"""`continued`: it goes on in another run of the same workflow id.
`forgotten`: it was running when it was last seen, and Temporal does not know it any more."""


class RunRow(Data):
    """One run of a pattern. A workflow id that runs again, as after a dead letter, has a row for each run.

    Times are UTC. `label` is the branch that a route decided for. Tokens and `cost_usd` are of all calls of the run,
    absent while it runs and where they cannot be known, as of a run that was terminated. `error` is the failure in a
    line. `parent` is the id of the workflow that started it, such as a dead letter, and `shadow_of` that of the run
    whose copy it is. `job` is the id by which its caller asks for it who does not wait, and `metadata` that caller's.
    """

    run_id: str
    workflow_id: str
    tenant: str
    user: str | None = None
    pattern: str
    kind: str
    status: RunStatus
    started: datetime
    ended: datetime | None = None
    latency_ms: float | None = None
    served_by: ServedBy | None = None
    model: str | None = None
    label: str | None = None
    variant: str | None = None
    tier: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    saved_usd: float | None = None
    simulated: bool | None = None
    error: str | None = None
    parent: str | None = None
    shadow_of: str | None = None
    job: str | None = None
    metadata: dict[str, str] = {}

    def with_result(self, result: Outcome | Failure) -> "RunRow":
        """The row of the run that has this result."""
        if isinstance(result, Failure):
            return self.with_account(result).model_copy(update={"error": cut(result.cause, 200)})
        update = {
            "latency_ms": result.latency_ms,
            "served_by": result.served_by,
            "model": result.model,
            "label": result.branch,
            "tier": result.tier,
            "saved_usd": result.saved_usd,
            "simulated": result.simulated,
        }
        return self.with_account(result).model_copy(update=update)

    def with_account(self, account: Account) -> "RunRow":
        """The row of the run whose calls these are."""
        usage = sum((call.usage for call in account.calls), Usage())
        tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        return self.model_copy(update={**tokens, "cost_usd": total_cost(account.calls), "variant": account.variant})


def shadow_name(workflow_id: str, shadow_of: str) -> str:
    """The name that the shadow with this workflow id has in the pattern of the run whose copy it is: a split at its
    top."""
    return workflow_id.removeprefix(f"{shadow_of}.shadow.")


def _since(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.now(UTC) - timedelta(seconds=float(str(seconds(value))))
    except ValueError:
        pass
    try:
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{value!r} is neither a duration nor a day; write 2h, 7d or 2026-11-21") from None


class RunQuery(Data):
    """Which runs: those that began at or after `since` and have all that is given, the newest `limit` of them."""

    tenant: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    pattern: Annotated[str, Field(min_length=1)] | None = None
    status: RunStatus | None = None
    since: Annotated[datetime, BeforeValidator(_since)] | None = None
    limit: Annotated[int, Field(ge=1, le=100_000)] = 50


class Mark(NamedTuple):
    """A place in a list of runs: behind the run that began then."""

    started: datetime
    run_id: str


class RunTotals(Data):
    """Of all runs that a query wants, whatever its limit: how many there are of each status, and their money in USD,
    without the `unpriced` ones that have ended and whose cost is unknown."""

    statuses: dict[str, int] = {}
    cost_usd: float = 0.0
    saved_usd: float = 0.0
    unpriced: int = 0

    @property
    def runs(self) -> int:
        return sum(self.statuses.values())


class RunRows(Data):
    """Runs, the newest first."""

    rows: tuple[RunRow, ...]
