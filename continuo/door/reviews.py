"""What waits for a person: found in Temporal, and decided there."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.prepare import validated
from continuo.decided import without_passed
from continuo.decisions.review import MEMO, TYPE, Brief, Case, Decision
from continuo.door.submit import Door
from continuo.errors import InputError
from continuo.guardrails.private import Private
from continuo.jobs import Context
from continuo.operations.audit import Entry

PATIENCE = timedelta(seconds=10)
"""For a pool to answer."""


class UnknownReview(InputError):
    """There is no such review, or it is another tenant's."""


class Refused(InputError):
    """What was to be done with a review cannot be done; the message says why."""


async def open_reviews(client: Client, tenant: str | None = None) -> list[Brief]:
    """Those that wait for a decision, of one tenant or of all, in the order in which they are due.

    Raises `InputError` for a tenant that can be none.
    """
    query = f"WorkflowType = '{TYPE}' AND ExecutionStatus = 'Running'"
    if tenant is not None:
        validated(Context, tenant=tenant)
        query += f" AND ContinuoTenant = '{tenant}'"
    briefs = []
    async for run in client.list_workflows(query):
        # Without it what is to be decided is not there yet.
        if (brief := (await run.memo()).get(MEMO)) is not None:
            briefs.append(Brief.model_validate(brief))
    return sorted((brief for brief in briefs if brief.verdict is None), key=lambda brief: (brief.due, brief.id))


async def case_of(client: Client, id: str, tenant: str | None = None) -> Case:
    """The review, decided or not. Raises `UnknownReview`, and `InputError` where no pool answers."""
    handle = client.get_workflow_handle(id)
    try:
        case: Case = await handle.query("case", result_type=Case, rpc_timeout=PATIENCE)
    except WorkflowQueryFailedError:
        raise UnknownReview(f"id: {id[:200]!r} is no review, or none yet; see `continuo reviews`") from None
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise UnknownReview(f"id: no review is called {id[:200]!r}; see `continuo reviews`") from None
        raise InputError(f"no pool answers for {id} ({error}); start one: continuo workers") from None
    if tenant is not None and case.tenant != tenant:
        raise UnknownReview(f"id: no review is called {id[:200]!r}; see `continuo reviews`")
    return case


async def decide(door: Door, case: Case, decision: Decision) -> Case:
    """Decide it, and enter that into the audit. What the reviewer writes is withheld as what is asked is. Raises
    `Refused`, also for what the guardrails reject."""
    context, owner = Context(tenant=case.tenant, pattern=case.pattern), case.run
    known = (await door.withholding.restoring(case.tenant, owner)).values
    private = door.withholding.private(context, case.pattern, values=known, spread=True)
    try:
        written = await asyncio.to_thread(_withheld, private, decision)
    except InputError as error:
        await door.refused(error, context, case.pattern)
        raise Refused(str(error)) from None
    if private.policy.restore:
        new = {name: value for name, value in private.values.items() if name not in known}
        await door.withholding.keep(case.tenant, owner, new)
    decided = await _updated(door.client, case, "decide", written)
    await door.note(await _entry(door.client, case, written, private))
    return decided


def _withheld(private: Private, decision: Decision) -> Decision:
    update = {name: text and private.edited(text) for name in ("text", "note") if (text := getattr(decision, name))}
    return decision.model_copy(update=update)


async def _entry(client: Client, case: Case, decision: Decision, private: Private) -> Entry:
    """What the audit has of a decision, also of one among several."""
    try:
        run = (await client.get_workflow_handle(case.run).describe()).run_id
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        run = None
    noted = without_passed([private.decision])
    who = {"verdict": decision.decision, "reviewer": decision.by}
    now = datetime.now(UTC)
    return Entry(event="decided", time=now, tenant=case.tenant, run=run, pattern=case.pattern, decisions=noted, **who)


async def claim(client: Client, case: Case, by: str, seconds: float) -> Case:
    """Keep it from others. Raises `Refused`."""
    return await _updated(client, case, "claim", by, seconds)


async def release(client: Client, case: Case, by: str) -> Case:
    """Give a claim back. Raises `Refused`."""
    return await _updated(client, case, "release", by)


async def _updated(client: Client, case: Case, update: str, *arguments: object) -> Case:
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(case.id)
    try:
        changed: Case = await handle.execute_update(update, args=arguments, result_type=Case, rpc_timeout=PATIENCE)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise InputError(f"no pool answers for {case.id}; start one: continuo workers") from None
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        raise Refused((await case_of(client, case.id)).closed or "its run was cancelled") from None
    return changed
