"""What was answered, or refused, without a run, and its row among the runs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.decided import Decision, without_passed
from continuo.errors import InputError, RefusedByGuardrails, RefusedByRule
from continuo.jobs import Context, Failure, Job, Outcome
from continuo.operations.audit import Entry, Seen, asked_of
from continuo.operations.runs import RunRow
from continuo.stores.opened import open_store, store_place
from continuo.stores.runs import Runs
from continuo.temporal.namespace import namespace_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """What was answered without a workflow, to be followed as a `Run` is. Its row among the runs has this `id`."""

    id: str
    outcome: Outcome

    @property
    def run_id(self) -> str:
        return self.id

    async def result(self) -> Outcome:
        return self.outcome

    async def cancel(self) -> None:
        """It has ended already."""


def answered(
    job: Job, decisions: tuple[Decision, ...], id: str, outcome: Outcome, seconds: float
) -> tuple[Answered, Seen]:
    """What the job was answered in so many seconds, and how that is noted."""
    ids = {"latency_ms": round(seconds * 1000, 3), "workflow_id": id, "run_id": id}
    outcome = outcome.model_copy(update=ids)
    row = _row(job.context, id, job.step.kind, seconds).with_result(outcome)
    return Answered(id, outcome), Seen(row, asked_of(job, decisions), outcome)


def refused(context: Context, error: InputError, decisions: Sequence[Decision]) -> tuple[Entry, RunRow | None]:
    """How it is noted that something was refused after these decisions: what a rule refuses has a row. The audit never
    has the message, which may repeat what was said."""
    row = None
    entry = Entry(event="refused", time=datetime.now(UTC), tenant=context.tenant, user=context.user)
    if isinstance(error, RefusedByRule):
        failure = Failure(type="RefusedByRule", message=f"rule {error.rule!r}: {error}")
        row = _row(context, f"{context.pattern}-{uuid4()}", "rule", 0.0).model_copy(update={"status": "failed"})
        row = row.with_result(failure)
        entry = Seen(row, None, failure).at_door("refused")
        decisions = [*decisions, Decision(stage="rules", action="rejected", rule=error.rule)]
    elif isinstance(error, RefusedByGuardrails):
        decisions = [*decisions, Decision(stage=error.stage, action="rejected", findings=dict(error.findings))]
    known = {"key": context.key_id, "pattern": context.pattern, "error": type(error).__name__}
    return entry.model_copy(update={**known, "decisions": without_passed(decisions)}), row


def _row(context: Context, id: str, kind: str, seconds: float) -> RunRow:
    ended = datetime.now(UTC)
    return RunRow(
        run_id=id,
        workflow_id=id,
        tenant=context.tenant,
        user=context.user,
        pattern=context.pattern,
        kind=kind,
        status="done",
        started=ended - timedelta(seconds=seconds),
        ended=ended,
    )


async def keep_row(client: Client, library: Library, entry: Entry, row: RunRow | None) -> None:
    """Make an entry, and keep its row, where nobody collects them. Where the store is away they are lost, and the log
    says so."""
    settings, environ = library.settings, library.environ
    try:
        store = open_store(settings, environ)
        try:
            await Runs(store, (await namespace_of(client)).id).keep([row] if row else [], [entry])
        finally:
            await store.aclose()
    except store_place(settings, environ).broken as error:
        log.warning("what the door decided is in no table: %s: %s", type(error).__name__, error)
