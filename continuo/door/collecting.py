"""Rows of runs, made of what Temporal knows of them and of nothing else, so that no row says what did not happen."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.plain_rows import PLAIN, plain_seen
from continuo.door.runs import known_progress, result
from continuo.door.silent_ends import tell
from continuo.jobs import Outcome
from continuo.operations.audit import Seen, Started
from continuo.operations.dead_letters import TYPE as LETTER
from continuo.operations.runs import RunRow, RunStatus
from continuo.patterns import KINDS
from continuo.stores.database import StoreUnavailable
from continuo.stores.runs import Runs
from continuo.temporal.attributes import PATTERN, TENANT
from continuo.temporal.plain_calls import plain_calls

log = logging.getLogger(__name__)

QUERY = f"ContinuoPattern IS NOT NULL AND WorkflowType != '{LETTER}'"
"""In Temporal's list: the runs, without their steps, dead letters, breakers and reports."""

OVERLAP = timedelta(seconds=30)
"""So late may a run be listed after its end; what was listed before is not read again."""

AT_ONCE = 4
"""Results read at the same time, so that the server has others to serve."""

_KINDS = {kind.__name__: kind.model_fields["kind"].default for kind in KINDS}

_STATUS: Mapping[WorkflowExecutionStatus | None, RunStatus] = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "done",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "continued",
}


async def collect(client: Client, runs: Runs, overlap: timedelta = OVERLAP) -> None:
    """Bring the table up to date: what runs, what has ended since the last time, and what became of the rest.

    A webhook is told of an end of which its run could not tell.
    Stopped anywhere it has only done less. Raises `RPCError` or `StoreUnavailable` when it cannot go on.
    """
    position = await runs.position()
    since = None if position is None else position - overlap
    await _follow(client, runs, since, await runs.ended_since(since or datetime.min.replace(tzinfo=UTC)))


async def rebuild(client: Client, runs: Runs) -> int:
    """Read anew every run that Temporal knows, while others run; how many have ended. Other rows stay as they are."""
    return await _follow(client, runs, None, set())


async def row_of(client: Client, run: WorkflowExecution) -> RunRow | None:
    """The row of one run; None if it is none of a pattern, or is forgotten before it is read."""
    seen = await seen_of(client, run)
    return seen and seen.row


async def seen_of(client: Client, run: WorkflowExecution) -> Seen | None:
    """The same with what it was asked and what it came to."""
    seen = await begun(run)
    try:
        return seen and await _with_end(client, seen)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return None


async def begun(run: WorkflowExecution) -> Seen | None:
    """One run without what it came to; None if it is none of a pattern."""
    tenant, pattern = run.typed_search_attributes.get(TENANT), run.typed_search_attributes.get(PATTERN)
    if tenant is None or pattern is None or run.workflow_type not in _KINDS:
        return None
    memo = await run.memo()
    start = memo.get("asked")
    row = RunRow(
        run_id=run.run_id,
        workflow_id=run.id,
        tenant=tenant,
        user=memo.get("user"),
        pattern=pattern,
        kind=_KINDS[run.workflow_type],
        status=_STATUS.get(run.status, "running"),
        started=run.start_time,
        ended=run.close_time,
        latency_ms=run.close_time and round((run.close_time - run.start_time).total_seconds() * 1000, 3),
        parent=run.parent_id,
        shadow_of=memo.get("shadow_of"),
        job=memo.get("job"),
        metadata=memo.get("metadata") or {},
    )
    return Seen(row, start and Started.model_validate(start))


async def _with_end(client: Client, seen: Seen) -> Seen:
    row = seen.row
    handle = client.get_workflow_handle(row.workflow_id, run_id=row.run_id, result_type=Outcome)
    if row.status in ("done", "failed"):
        try:
            end = await result(handle)
            return seen._replace(row=row.with_result(end), end=end)
        except (RPCError, StoreUnavailable):
            raise
        except Exception as error:
            # One that this release cannot read, or whose store is another one, must not hold up all others.
            log.warning("the result of %s cannot be read: %s: %s", row.workflow_id, type(error).__name__, error)
            return seen
    if row.status == "cancelled" and (known := await known_progress(handle)) is not None:
        return seen._replace(row=row.with_account(known))
    return seen


@dataclass(frozen=True)
class _Listed:
    """A run in one of Temporal's lists, and how to read it; `workflow` is absent for a plain call."""

    run_id: str
    close_time: datetime | None
    seen: Callable[[], Awaitable[Seen | None]]
    workflow: WorkflowExecution | None = None


async def _follow(client: Client, runs: Runs, since: datetime | None, known: set[str]) -> int:
    before = {row.run_id: row for row in await runs.running()}
    async for batch in _batches(client, "ExecutionStatus = 'Running'"):
        await _keep(runs, await _read([run for run in batch if run.run_id not in before]))
        for run in batch:
            before.pop(run.run_id, None)
    count, newest = 0, since
    ended = "ExecutionStatus != 'Running'" + (f" AND CloseTime >= '{since.isoformat()}'" if since else "")
    async for batch in _batches(client, ended):
        read = await _read([run for run in batch if run.run_id not in known])
        await _keep(runs, read)
        count += len(read)
        for run in batch:
            if run.workflow is not None:
                await tell(client, run.workflow)
            before.pop(run.run_id, None)
            newest = max(filter(None, (newest, run.close_time)), default=None)
    for row in before.values():
        await _keep(runs, [await _looked_up(client, row)])
    if newest is not None:
        await runs.advance(newest)
    return count


async def _keep(runs: Runs, read: Sequence[Seen]) -> None:
    await runs.keep([seen.row for seen in read], [entry for seen in read for entry in seen.entries])


async def _looked_up(client: Client, row: RunRow) -> Seen:
    """What became of a run that is in neither list: it ended long ago or just now, or nobody knows of it any more."""
    try:
        run = await client.get_workflow_handle(row.workflow_id, run_id=row.run_id).describe()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        now = await plain_seen(client, row.workflow_id, row.run_id)
    else:
        now = await seen_of(client, run)
    return now or Seen(row.model_copy(update={"status": "forgotten"}))


async def _read(listed: list[_Listed]) -> list[Seen]:
    return [seen for seen in await asyncio.gather(*(run.seen() for run in listed)) if seen is not None]


async def _batches(client: Client, query: str) -> AsyncIterator[list[_Listed]]:
    """What the lists have, `AT_ONCE` together."""
    batch: list[_Listed] = []
    async for run in _listed(client, query):
        batch.append(run)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _listed(client: Client, query: str) -> AsyncIterator[_Listed]:
    async for run in client.list_workflows(f"{QUERY} AND {query}"):
        yield _Listed(run.run_id, run.close_time, partial(seen_of, client, run), run)
    async for call in plain_calls(client, f"{PLAIN} AND {query}"):
        run_id = call.activity_run_id or ""
        yield _Listed(run_id, call.close_time, partial(plain_seen, client, call.activity_id, run_id))
