"""A user is forgotten: in Temporal, in every store, and in the audit, whose chain stays whole."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, TypeVar

from temporalio.client import ActivityExecution, ActivityHandle, Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from continuo.door.executions import AT_ONCE, delete, delete_call, names_of
from continuo.door.plain import GOES_ON, described, job_of
from continuo.door.plain_rows import PLAIN
from continuo.operations.batches import workflow_id
from continuo.operations.dead_letters import TYPE as LETTER
from continuo.operations.forgetting import Forgotten, Part
from continuo.operations.schedules import PREFIX
from continuo.operations.webhooks import TYPE as WEBHOOK
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.forgetting import Forgetting, Traces, batches_of, trace
from continuo.stores.streams import StreamLog
from continuo.temporal.attributes import PATTERN, TENANT
from continuo.temporal.plain_calls import plain_calls

DROPPED = 180.0
"""Seconds in which Temporal is waited for: it drops an execution when it has noted that all of it is done, which an
embedded server does every half minute."""

SETTLED = 1.0
"""Seconds after which whoever had read a run before it was dropped has written down what it read."""

AFTERWARDS = (LETTER, WEBHOOK)
"""Workflows that begin when a run has ended: open ones are dropped with it."""

PAUSE = 0.5
"""Seconds between two looks at what it has not dropped yet."""

TOGETHER = 200
"""Histories of others looked through at a time."""

T = TypeVar("T")

_ITEM = re.compile(r"batch:[^/]*/[^/]*/\d+")


@dataclass
class Executions:
    """What of a user Temporal knows; those that are `busy` are left, by the workflow ids of their roots."""

    runs: list[WorkflowExecution] = field(default_factory=list)
    calls: list[ActivityExecution] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)


async def forget(
    client: Client,
    namespace: str,
    store: Database,
    large: Database,
    cache: Cache,
    streams: StreamLog,
    traces: Traces,
    *,
    dry_run: bool,
) -> Forgotten:
    """Erase what the user of these `traces`, which are empty so far, has left; with `dry_run`, count it.

    What is under way is left. Stopped anywhere it has only done less, and the next time does the rest.
    """
    batches = {workflow_id(batch.tenant, batch.id) async for batch in batches_of(store, traces)}
    executions = await _executions(client, traces, batches)
    await trace(store, traces)
    await _add_what_is_about(client, traces, executions)
    forgetting = Forgetting(store, large, namespace, traces, dry_run=dry_run)
    traces.names |= await names_of(client, executions.runs, executions.calls)
    await forgetting.widen()
    if traces.names:
        await forgetting.spare(await _named_by_others(client, executions, traces))
    counts: dict[Part, int] = {"executions": len(executions.runs) + len(executions.calls)}
    counts |= await forgetting.by_run()
    counts["streams"] = await streams.forget(sorted(traces.runs), dry_run=dry_run)
    counts["cache"] = 0
    for tenant in sorted(traces.tenants):
        counts["cache"] += len(await cache.entries(tenant, 0)) if dry_run else await cache.clear(tenant)
    pending = 0 if dry_run else await _dropped(client, executions)
    counts |= await forgetting.by_name()
    return Forgotten(
        dry_run=dry_run,
        user=traces.user,
        tenants=tuple(sorted(traces.tenants)),
        counts=counts,
        running=tuple(sorted(executions.busy)),
        schedules=tuple([name async for name in _schedules(client, store, traces)]),
        pending=pending,
    )


async def _executions(client: Client, traces: Traces, batches: set[str]) -> Executions:
    """All that ran for the user, and all below it; the traces get their ids. A batch has the answers of its items in
    its history: those with these workflow ids are the user's, and those of items that are."""
    known, roots = Executions(), set[str]()
    async for calls in _pages(plain_calls(client, PLAIN), AT_ONCE):
        mine = await asyncio.gather(*(_is_mine(client, call, traces) for call in calls))
        for call in compress(calls, mine):
            traces.tenants.add(call.typed_search_attributes.get(TENANT) or "")
            if call.status in GOES_ON:
                known.busy.add(call.activity_id)
                traces.busy.add(call.activity_run_id or "")
            else:
                known.calls.append(call)
                _add(traces, call.activity_run_id or "", call.activity_id, call)
    async for run in client.list_workflows(""):
        tenant = run.typed_search_attributes.get(TENANT)
        if tenant is not None and traces.is_of((await run.memo()).get("user"), tenant):
            traces.tenants.add(tenant)
            roots.add(_root(run))
    roots |= batches | {root.rpartition("/")[0] for root in roots if _ITEM.fullmatch(root)}
    ours = [run async for run in client.list_workflows("") if _root(run) in roots]
    known.busy |= {_root(run) for run in ours if _is_busy(run)}
    for run in ours:
        if {_root(run), _root(run).rpartition("/")[0]} & known.busy:
            traces.busy.add(run.run_id)
        else:
            known.runs.append(run)
            _add(traces, run.run_id, run.id, run)
    return known


async def _add_what_is_about(client: Client, traces: Traces, executions: Executions) -> None:
    """Add the letters and the webhooks of runs that are no part of these, or that Temporal has forgotten."""
    known = {run.run_id for run in executions.runs}
    query = " OR ".join(f"WorkflowType = '{kind}'" for kind in AFTERWARDS)
    async for run in client.list_workflows(query):
        about = run.id.rpartition("/")[2]
        if about in traces.runs and run.run_id not in known and _root(run) not in executions.busy:
            executions.runs.append(run)
            _add(traces, run.run_id, run.id, run)


async def _is_mine(client: Client, call: ActivityExecution, traces: Traces) -> bool:
    """Whether a plain call, in which Temporal keeps no memo, was asked for the user."""
    if traces.tenant not in (None, call.typed_search_attributes.get(TENANT)):
        return False
    try:
        context = (await job_of(await described(_handle_of(client, call)))).context
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return traces.is_of(context.user, context.tenant)


def _add(traces: Traces, run: str, id: str, execution: WorkflowExecution | ActivityExecution) -> None:
    attributes = execution.typed_search_attributes
    traces.runs.add(run)
    traces.ids.add(id)
    if (tenant := attributes.get(TENANT)) is not None:
        traces.workflows[id] = tenant, attributes.get(PATTERN) or ""


def _root(run: WorkflowExecution) -> str:
    """The workflow id of the run that this one is part of. Each item of a batch is a run of its own."""
    item = _ITEM.search(run.id)
    return item[0] if item else run.root_id or run.id


def _is_busy(run: WorkflowExecution) -> bool:
    return run.status == WorkflowExecutionStatus.RUNNING and run.workflow_type not in AFTERWARDS


async def _named_by_others(client: Client, executions: Executions, traces: Traces) -> set[str]:
    """Those of the traces' names that any other run refers to."""
    runs, calls = {run.run_id for run in executions.runs}, {call.activity_run_id for call in executions.calls}
    needed = set[str]()
    async for others in _pages(client.list_workflows(""), TOGETHER):
        others = [run for run in others if run.run_id not in runs]
        needed |= traces.names & await names_of(client, others, ())
    async for other_calls in _pages(plain_calls(client, PLAIN), TOGETHER):
        other_calls = [call for call in other_calls if call.activity_run_id not in calls]
        needed |= traces.names & await names_of(client, (), other_calls)
    return needed


async def _pages(items: AsyncIterator[T], size: int) -> AsyncIterator[list[T]]:
    page: list[T] = []
    async for item in items:
        page.append(item)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


async def _dropped(client: Client, executions: Executions) -> int:
    """Let Temporal drop them, and wait until it has; how many it has not."""
    for run in executions.runs:
        await delete(client, run)
    for call in executions.calls:
        await delete_call(client, call)
    left: Sequence[WorkflowExecution | ActivityExecution] = [*executions.runs, *executions.calls]
    deadline = asyncio.get_running_loop().time() + DROPPED
    while left and asyncio.get_running_loop().time() < deadline:
        if await _is_there(client, left[0]):
            await asyncio.sleep(PAUSE)
        else:
            left = left[1:]
    await asyncio.sleep(SETTLED)
    return len(left)


async def _is_there(client: Client, one: WorkflowExecution | ActivityExecution) -> bool:
    try:
        await (
            client.get_workflow_handle(one.id, run_id=one.run_id).describe()
            if isinstance(one, WorkflowExecution)
            else _handle_of(client, one).describe()
        )
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _handle_of(client: Client, call: ActivityExecution) -> ActivityHandle[Any]:
    return client.get_activity_handle(call.activity_id, run_id=call.activity_run_id)


async def _schedules(client: Client, store: Database, traces: Traces) -> AsyncIterator[str]:
    """The ids of those that run for the user, or have items that do."""
    planned = {(batch.tenant, batch.id) async for batch in batches_of(store, traces, planned=True)}
    async for schedule in await client.list_schedules():
        if not schedule.id.startswith(PREFIX):
            continue
        action = (await client.get_schedule_handle(schedule.id).describe()).schedule.action
        for runs in await client.data_converter.decode(getattr(action, "args", ()), [dict]):
            context = runs.get("context", {})
            tenant = context.get("tenant", "default")
            if traces.is_of(context.get("user"), tenant) or (tenant, runs.get("items")) in planned:
                yield schedule.id.removeprefix(PREFIX)
