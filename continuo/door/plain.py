"""A model call that is a run of its own: an activity that no workflow has started, where the server has these.

It costs a fraction of a workflow with an activity. Its id is run once; whatever runs under it later, such as a retry of
its dead letter, is a workflow, and so the newest.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from temporalio.client import (
    ActivityExecutionDescription,
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    Client,
)
from temporalio.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, Priority, RetryPolicy
from temporalio.exceptions import ApplicationError, TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.decided import Decision
from continuo.door.request import Request
from continuo.door.runs import GivesRestoring, State, cancelled, restored
from continuo.jobs import Account, Failure, Job, Outcome
from continuo.patterns import Call
from continuo.progress import Progress
from continuo.temporal.activity_options import PLAIN_CALL, options
from continuo.temporal.attributes import started
from continuo.temporal.failures import failure_of

GOES_ON = (ActivityExecutionStatus.RUNNING, ActivityExecutionStatus.PAUSED)


@dataclass(frozen=True)
class PlainRun:
    """What was submitted, followed as a `Run` is."""

    handle: ActivityHandle[Outcome]
    answered_before: bool = False
    restoring: GivesRestoring | None = None

    @property
    def id(self) -> str:
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        return self.handle.run_id

    @property
    def page(self) -> str:
        """Its page in Temporal's UI, below that of the namespace."""
        return f"activities/{quote(self.id, safe='')}/{self.run_id}/details"

    async def newest_run_id(self) -> str:
        """The run id, asked for. Raises `RPCError` where the server does not know it."""
        known = await self.handle.describe()
        assert known.activity_run_id is not None
        return known.activity_run_id

    async def state(self) -> State:
        try:
            known = await self.handle.describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return "unknown"
        if known.status not in GOES_ON:
            return "ended"
        return "queued" if known.last_started_time is None else "running"

    async def answered(self) -> bool:
        """Whether it has an answer already."""
        return (await self.handle.describe()).status == ActivityExecutionStatus.COMPLETED

    async def result(self) -> Outcome | Failure:
        """What it came to, waited for as long as it takes; no failure is an exception."""
        try:
            end: Outcome | Failure = await self.handle.result()
        except ActivityFailureError:
            end = await _failure(await described(self.handle))
        return await restored(self.restoring, end)

    async def progress(self) -> Progress:
        """Its call, once that has ended; it has no steps."""
        end = await ended(await described(self.handle))
        return Progress(calls=end.calls if end is not None else ())

    async def cancel(self) -> None:
        """Ask it to end, if it has not."""
        try:
            await self.handle.cancel(reason="its caller no longer wants it")
        except RPCError as error:
            if error.status != RPCStatusCode.FAILED_PRECONDITION:
                raise


def is_plain(request: Request, job: Job) -> bool:
    """Whether the request names a model and no pattern, and asks for nothing that takes a workflow."""
    named = isinstance(request.pattern, str) and request.pattern.startswith("model:")
    context = job.context
    return named and isinstance(job.step, Call) and context.deadline is None and context.background is None


async def start_plain(
    client: Client, job: Job, *, id: str, weight: float, decisions: tuple[Decision, ...] = ()
) -> PlainRun:
    """Start the call on its priority's queue; one that runs under `id` is joined. `decisions` are as for `start`.

    Raises `ActivityAlreadyStartedError` for an id that has ended.
    """
    context = job.context
    assert isinstance(job.step, Call)
    how = options(job.step)
    # Each wait for its turn is an attempt to the server. The activity counts those that it is meant for, and ends it.
    how["retry_policy"] = RetryPolicy(**{**vars(how["retry_policy"]), "maximum_attempts": 0})
    handle: ActivityHandle[Outcome] = await client.start_activity(
        PLAIN_CALL,
        job.begun().model_copy(update={"decisions": tuple(one.model_dump(mode="json") for one in decisions)}),
        id=id,
        task_queue=context.priority,
        result_type=Outcome,
        id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
        search_attributes=started(context),
        summary=f"{context.pattern} for {context.tenant}",
        priority=Priority(fairness_key=context.tenant, fairness_weight=weight),
        **how,
    )
    return PlainRun(handle)


def plain_run(client: Client, id: str, run_id: str | None = None, *, answered_before: bool = False) -> PlainRun:
    """The run with this id, whether or not the server knows it."""
    handle: ActivityHandle[Any] = client.get_activity_handle(id, run_id=run_id, result_type=Outcome)
    return PlainRun(handle, answered_before)


async def described(handle: ActivityHandle[Any]) -> ActivityExecutionDescription:
    """All that the server knows of it. Raises `RPCError`."""
    return await handle.describe(
        include_input=True, include_outcome=True, include_heartbeat_details=True, include_last_failure=True
    )


async def job_of(known: ActivityExecutionDescription) -> Job:
    """What it was asked."""
    given = await known.input([Job])
    assert given is not None
    job: Job = given[0]
    return job


async def ended(known: ActivityExecutionDescription) -> Outcome | Failure | None:
    """What it came to; None as long as it goes on."""
    if known.status in GOES_ON:
        return None
    outcome: Outcome | None = await known.result(Outcome)
    return outcome or await _failure(known)


async def _failure(known: ActivityExecutionDescription) -> Failure:
    cause = await known.outcome_failure()
    assert cause is not None
    if isinstance(cause, TerminatedError) or (isinstance(cause, ApplicationError) and cause.non_retryable):
        return failure_of(cause)
    # What would be tried again, or waits for its turn, ends so when it is cancelled meanwhile. A worker that is gone
    # cannot say that it has cancelled the call, which ends with its next heartbeat then.
    return cancelled(await _account(known, cause))


async def _account(known: ActivityExecutionDescription, cause: BaseException) -> Account:
    """What it had come to until it was cancelled: as it has told, or else after the last attempt that failed."""
    details = await known.heartbeat_details() or []
    if len(details) > 3:
        return Account.model_validate(details[3])
    last = cause if isinstance(cause, ApplicationError) else await known.last_failure()
    return Account() if last is None else failure_of(last)
