"""All that Temporal knows of one run: what it was, how far each step came, and what it came to."""

from collections.abc import Mapping
from typing import NamedTuple

from temporalio.client import ActivityExecution, Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from continuo.data import Data
from continuo.door.collecting import QUERY, row_of
from continuo.door.plain import described, ended, job_of
from continuo.door.plain_rows import PLAIN, row_of_plain
from continuo.door.runs import known_progress, result
from continuo.errors import InputError
from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.operations.runs import RunRow
from continuo.patterns import Step
from continuo.patterns.step import LEAVES
from continuo.progress import StepState
from continuo.temporal.plain_calls import plain_calls


class Inspection(Data):
    """One run. `step` is its pattern; `steps` are those that have begun, also in child workflows.

    `steps` is None as long as no pool answers for them. Where Temporal has forgotten the run there is its row alone.
    """

    run: RunRow
    step: Step | None = None
    steps: tuple[StepState, ...] | None = None
    calls: tuple[CallRecord, ...] = ()
    outcome: Outcome | None = None
    failure: Failure | None = None

    @property
    def forgotten(self) -> bool:
        return self.step is None

    @property
    def reviews(self) -> list[str]:
        """The ids of the reviews that the run waits for: those that run, and nothing below them does."""
        running = [state for state in self.steps or () if state.status == "running"]
        own = {state.path: state.workflow_id for state in running if state.kind == "review"}
        if self.run.kind == "review" and self.run.status == "running" and self.steps is not None:
            own[""] = self.run.workflow_id
        above = {path for path in own for state in running if state.path != path and _is_below(state.path, path)}
        return [id for path, id in own.items() if id is not None and path not in above]


def _is_below(path: str, above: str) -> bool:
    return not above or path.startswith(f"{above}.")


async def inspected(client: Client, id: str) -> Inspection | None:
    """The run with this workflow id or run id, or the beginning of a workflow id; of several runs the newest.

    None if Temporal knows of none. Raises `InputError` where it is none of a pattern, or the beginning of several ids.
    """
    run = await _find(client, id)
    if run is None:
        return None
    if isinstance(run, ActivityExecution):
        return await _plain(client, run)
    row = await row_of(client, run)
    if row is None:
        raise InputError(f"run: {run.id} is no run of a pattern; see `continuo runs`")
    handle = client.get_workflow_handle(run.id, run_id=run.run_id, result_type=Outcome)
    history = await handle.fetch_history()
    steps, calls = await _steps(client, history, run.run_id)
    end = None if row.status in ("running", "continued") else await result(handle)
    if steps is not None and row.ended is not None:
        steps = {path: _closed(state, row) for path, state in steps.items()}
    return Inspection(
        run=row,
        step=(await _job(client, history)).step,
        steps=None if steps is None else tuple(steps.values()),
        calls=end.calls if end is not None and end.calls else calls,
        outcome=end if isinstance(end, Outcome) else None,
        failure=end if isinstance(end, Failure) else None,
    )


class Recorded(NamedTuple):
    """What the run with this workflow id was given, and what it came to; None as long as it runs."""

    id: str
    job: Job
    end: Outcome | Failure | None


async def recorded(client: Client, id: str) -> Recorded:
    """The run that `inspected` would show. Raises `InputError` where Temporal knows of none."""
    run = await _find(client, id)
    if run is None:
        raise InputError(f"run: Temporal knows of no run with the id {id[:80]!r}; see `continuo runs`")
    if isinstance(run, ActivityExecution):
        known = await described(client.get_activity_handle(run.activity_id, run_id=run.activity_run_id))
        return Recorded(run.activity_id, await job_of(known), await ended(known))
    if await row_of(client, run) is None:
        raise InputError(f"run: {run.id} is no run of a pattern; see `continuo runs`")
    handle = client.get_workflow_handle(run.id, run_id=run.run_id, result_type=Outcome)
    end = None if run.status == WorkflowExecutionStatus.RUNNING else await result(handle)
    return Recorded(run.id, await _job(client, await handle.fetch_history()), end)


async def _plain(client: Client, call: ActivityExecution) -> Inspection:
    """A run that is one call has that as its only step."""
    known = await described(client.get_activity_handle(call.activity_id, run_id=call.activity_run_id))
    job, end = await job_of(known), await ended(known)
    row = row_of_plain(known, job, end)
    status = row.status if row.status in ("running", "done", "failed") else "cancelled"
    state = StepState(path="", kind=row.kind, status=status, started=row.started, ended=row.ended)
    return Inspection(
        run=row,
        step=job.step,
        steps=() if known.last_started_time is None else (state,),
        calls=end.calls if end is not None else (),
        outcome=end if isinstance(end, Outcome) else None,
        failure=end if isinstance(end, Failure) else None,
    )


async def _find(client: Client, id: str) -> WorkflowExecution | ActivityExecution | None:
    for handle in (client.get_workflow_handle(id), client.get_activity_handle(id)):
        try:
            return await handle.describe()
        except RPCError as error:
            if error.status not in (
                RPCStatusCode.NOT_FOUND,
                RPCStatusCode.INVALID_ARGUMENT,
                RPCStatusCode.UNIMPLEMENTED,
            ):
                raise
    if not id or "'" in id or "\\" in id:
        return None
    query = f"{QUERY} AND (WorkflowId STARTS_WITH '{id}' OR RunId = '{id}')"
    runs = [run async for run in client.list_workflows(query)]
    calls = [
        call async for call in plain_calls(client, f"{PLAIN} AND (ActivityId STARTS_WITH '{id}' OR RunId = '{id}')")
    ]
    if len(ids := {run.id for run in runs} | {call.activity_id for call in calls}) > 1:
        raise InputError(f"run: {len(ids)} runs have ids that begin with {id!r}; see `continuo runs`")
    # What runs under an id after a plain call is a workflow.
    return max(runs, key=lambda run: run.start_time, default=None) or next(iter(calls), None)


async def _job(client: Client, history: WorkflowHistory) -> Job:
    started = history.events[0].workflow_execution_started_event_attributes
    job: Job = (await client.data_converter.decode(started.input.payloads, [Job]))[0]
    return job


async def _steps(
    client: Client, history: WorkflowHistory, run_id: str
) -> tuple[dict[str, StepState] | None, tuple[CallRecord, ...]]:
    """The steps of a workflow and of its children, by path, and the calls that have ended; None without a pool."""
    known = await known_progress(client.get_workflow_handle(history.workflow_id, run_id=run_id))
    if known is None:
        return None, ()
    steps, calls, children = {state.path: state for state in known.steps}, known.calls, _children(history)
    for state in known.steps:
        child = state.workflow_id
        if child is None or child not in children or state.kind in LEAVES:
            continue
        inner = await client.get_workflow_handle(child, run_id=children[child]).fetch_history()
        inner_steps, inner_calls = await _steps(client, inner, children[child])
        steps |= inner_steps or {}
        # Of one that has ended, the calls are among its parent's.
        calls += inner_calls if state.status == "running" else ()
    return steps, calls


def _children(history: WorkflowHistory) -> Mapping[str, str]:
    """The run ids of the child workflows, by their ids: an id that ran again has other children of the same ids."""
    started = [event.child_workflow_execution_started_event_attributes.workflow_execution for event in history.events]
    return {child.workflow_id: child.run_id for child in started if child.run_id}


def _closed(state: StepState, row: RunRow) -> StepState:
    """The step, which has ended with its run, if not before, though a run that was terminated could not say so."""
    return state if state.ended else state.model_copy(update={"status": "cancelled", "ended": row.ended})
