"""Schedules at the door: what is asked passes the stages when it is planned, and again each time that it is run."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleInfo,
    ScheduleIntervalSpec,
    ScheduleListDescription,
    ScheduleListInfo,
    ScheduleListState,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.files import is_file
from continuo.authoring.prepare import validated
from continuo.data import Data
from continuo.door.batches import Batches
from continuo.door.request import Line, Request
from continuo.door.submit import Door
from continuo.errors import InputError, UnknownName
from continuo.guardrails.private import Private
from continuo.jobs import Context
from continuo.operations.batches import Terms
from continuo.operations.schedules import (
    BATCH_TYPE,
    PREFIX,
    TYPE,
    FiredRow,
    ScheduleName,
    ScheduleRow,
    ShownSchedule,
    Times,
    action_id,
    schedule_id,
)
from continuo.stores.batches import BatchStore
from continuo.stores.vault import SCHEDULE
from continuo.temporal.attributes import TENANT
from continuo.temporal.failures import failure_of

Known = ScheduleDescription | ScheduleListDescription
Info = ScheduleInfo | ScheduleListInfo

_OVERLAP = {
    "skip": ScheduleOverlapPolicy.SKIP,
    "queue": ScheduleOverlapPolicy.BUFFER_ALL,
    "cancel": ScheduleOverlapPolicy.CANCEL_OTHER,
}


class Planned(Data):
    """What a schedule runs, each time anew: whatever its pattern, its tenant and the catalog are by then."""

    name: ScheduleName
    request: Request
    context: Context

    def fired(self, workflow_id: str) -> Request:
        """The request of the time whose workflow has this id, and with it one run, however often it is begun."""
        return self.request.model_copy(
            update={"id": f"{self.name}-{_time(self.context.tenant, self.name, workflow_id)}"}
        )


class PlannedBatch(Data):
    """What a schedule runs, each time as a batch of its own: a copy of the batch `items`, which is planned."""

    name: ScheduleName
    context: Context
    items: str

    def fired(self, workflow_id: str) -> str:
        """The id of the batch of the time whose workflow has this id."""
        return f"{self.name}-{_time(self.context.tenant, self.name, workflow_id)}".replace(":", "")


def _time(tenant: str, name: str, workflow_id: str) -> str:
    return workflow_id.removeprefix(action_id(tenant, name)).lstrip("-")


class Schedules:
    """`store` has the items of those of batches."""

    def __init__(self, door: Door, store: BatchStore) -> None:
        self._door = door
        self._store = store
        self._batches = Batches(door, store)

    async def create(self, planned: Planned, times: Times, *, replace: bool = False) -> ScheduleHandle:
        """Plan it. Raises `InputError` for what cannot run here, for times that are none, and where the tenant has a
        schedule of this name, unless that is to be replaced."""
        _check_named(planned.request.pattern_name)
        checked = await self._door.check(planned.request, planned.context)
        context, owner = checked.job.context, f"{SCHEDULE}{planned.name}:{uuid4().hex[:8]}"
        if checked.private.spread:
            context = context.model_copy(update={"vault": owner})
            await self._door.withholding.keep(context.tenant, owner, checked.private.values)
        planned = planned.model_copy(update={"request": checked.request, "context": context})
        return await self._create(TYPE, planned, context, checked.weight, times, replace=replace)

    async def create_batch(
        self,
        name: str,
        terms: Terms,
        digest: str,
        source: str,
        lines: Iterable[Line],
        times: Times,
        private: Private | None = None,
        *,
        replace: bool,
    ) -> ScheduleHandle:
        """The same for a batch of these items, which are kept here, see `Batches.submit`."""
        context = terms.context
        _check_named(context.pattern)
        # With a colon, as no other batch's id has; each schedule's items are its own, also while it is replaced.
        items = f"schedule:{name}:{uuid4().hex[:8]}"
        planned = validated(PlannedBatch, name=name, context=context, items=items)
        await self._batches.plan(items, digest, terms, source, lines, private)
        weight = self._door.weight_of(context)
        try:
            return await self._create(BATCH_TYPE, planned, context, weight, times, replace=replace)
        except InputError:
            await self._store.drop(context.tenant, items)
            raise

    async def _create(
        self,
        type: str,
        planned: Planned | PlannedBatch,
        context: Context,
        weight: float,
        times: Times,
        *,
        replace: bool,
    ) -> ScheduleHandle:
        tenant = context.tenant
        id = schedule_id(tenant, planned.name)
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                type,
                planned,
                id=action_id(tenant, planned.name),
                task_queue=context.priority,
                static_summary=f"{context.pattern} for {tenant}, by schedule {planned.name}",
                priority=Priority(fairness_key=tenant, fairness_weight=weight),
            ),
            spec=_spec(times),
            policy=SchedulePolicy(overlap=_OVERLAP[times.overlap], catchup_window=timedelta(seconds=times.catch_up)),
        )
        memo = {
            "name": planned.name,
            "pattern": context.pattern,
            "priority": context.priority,
            "times": str(times),
            "zone": times.zone,
            "items": planned.items if isinstance(planned, PlannedBatch) else None,
            "vault": context.vault,
        }
        with _refused(tenant, planned.name):
            if replace:
                await self._make_room(id, schedule)
            try:
                return await self._door.client.create_schedule(
                    id,
                    schedule,
                    memo=memo,
                    search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT, tenant)]),
                )
            except ScheduleAlreadyRunningError:
                message = f"tenant {tenant!r} has a schedule {planned.name!r} already; give --replace, or another name"
                raise InputError(message) from None

    async def listed(self, tenant: str | None) -> AsyncIterator[ScheduleRow]:
        """The schedules of one tenant, or of all."""
        query = None if tenant is None else f"{TENANT.name} = '{tenant}'"
        async for known in await self._door.client.list_schedules(query):
            # Others are not of the door, such as that of the pruning.
            if known.id.startswith(PREFIX) and known.schedule and known.info:
                yield await self._row(known, known.schedule.state, known.info)

    async def show(self, tenant: str, name: str) -> ShownSchedule:
        with _refused(tenant, name):
            known = await self._handle(tenant, name).describe()
        info = known.info
        return ShownSchedule(
            schedule=await self._row(known, known.schedule.state, info),
            fired=info.num_actions,
            missed=info.num_actions_missed_catchup_window,
            skipped=info.num_actions_skipped_overlap,
            times=tuple([await self._fired(known, one) for one in reversed(info.recent_actions)]),
        )

    async def pause(self, tenant: str, name: str, note: str) -> None:
        with _refused(tenant, name):
            await self._handle(tenant, name).pause(note=note)

    async def resume(self, tenant: str, name: str) -> None:
        with _refused(tenant, name):
            await self._handle(tenant, name).unpause(note="")

    async def trigger(self, tenant: str, name: str) -> None:
        """Run it now, whenever it is to run next, and also while it is paused."""
        with _refused(tenant, name):
            await self._handle(tenant, name).trigger()

    async def delete(self, tenant: str, name: str) -> None:
        """What is under way goes on."""
        with _refused(tenant, name):
            await self._delete(self._handle(tenant, name))

    async def _delete(self, handle: ScheduleHandle) -> None:
        known = await handle.describe()
        await handle.delete()
        tenant = known.typed_search_attributes[TENANT]
        if items := await known.memo_value("items", None):
            await self._store.drop(tenant, items)
        if owner := await known.memo_value("vault", None):
            await self._batches.vault.drop(tenant, owner)

    def _handle(self, tenant: str, name: str) -> ScheduleHandle:
        return self._door.client.get_schedule_handle(schedule_id(tenant, name))

    async def _make_room(self, id: str, other: Schedule) -> None:
        """Delete the schedule of this id, once the server has taken the `other` in its place: what it refuses leaves it
        as it is. What is known of it for lists cannot be changed in place."""
        handle = self._door.client.get_schedule_handle(id)
        try:
            await handle.update(lambda _: ScheduleUpdate(other))
            await self._delete(handle)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    async def _row(self, known: Known, state: ScheduleState | ScheduleListState, info: Info) -> ScheduleRow:
        memo = {name: value for name, value in (await known.memo()).items() if name != "vault"}
        tenant, items = known.typed_search_attributes[TENANT], memo.get("items")
        batch = await self._store.get(tenant, items) if items else None
        last = await self._fired(known, info.recent_actions[-1]) if info.recent_actions else None
        return ScheduleRow(
            **memo,
            tenant=tenant,
            count=batch and batch.tally.items,
            paused=state.paused,
            note=state.note or "",
            next=() if state.paused else tuple(info.next_action_times),
            last=last and last.started,
            last_run=last and last.run,
            last_status=last and last.status,
        )

    async def _fired(self, known: Known, result: ScheduleActionResult) -> FiredRow:
        assert isinstance(result.action, ScheduleActionExecutionStartWorkflow)
        handle = self._door.client.get_workflow_handle(
            result.action.workflow_id, run_id=result.action.first_execution_run_id
        )
        try:
            described = await handle.describe()
            status = described.status.name.lower() if described.status is not None else "unknown"
            run = await described.memo_value("run", "", type_hint=str)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            status, run = "forgotten", ""
        why = await _why(handle) if status == "failed" else None
        return FiredRow(scheduled=result.scheduled_at, started=result.started_at, run=run, status=status, why=why)


async def _why(handle: WorkflowHandle[Any, Any]) -> str | None:
    try:
        await handle.result(follow_runs=False)
    except WorkflowFailureError as error:
        return failure_of(error).cause
    return None


def _spec(times: Times) -> ScheduleSpec:
    return ScheduleSpec(
        cron_expressions=times.cron,
        intervals=[ScheduleIntervalSpec(every=timedelta(seconds=times.every))] if times.every else (),
        start_at=times.starting,
        end_at=times.ending,
        jitter=timedelta(seconds=times.jitter) if times.jitter else None,
        time_zone_name=times.zone,
    )


def _check_named(pattern: str) -> None:
    if is_file(pattern):
        raise InputError(f"pattern {pattern!r} is a file, which a pool may not have; name a pattern")


@contextmanager
def _refused(tenant: str, name: str) -> Iterator[None]:
    """Inside, what the server refuses is an `InputError`."""
    try:
        yield
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            message = f"tenant {tenant!r} has no schedule {name[:80]!r}; see `continuo schedule list`"
            raise UnknownName(message, "schedule", name) from None
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise InputError(f"cron, or another of its times: {error.message}; correct it") from None
        raise
