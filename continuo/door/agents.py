"""What is said to an agent while it runs, and all that was said by it and to it until now."""

import sqlite3
import time
from datetime import timedelta

from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.config.settings import Settings, environment
from continuo.data import Data
from continuo.errors import InputError
from continuo.jobs import Job
from continuo.messages import Message
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import opened_payloads
from continuo.stores.turns import MissingTurn, Turns
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import ADVICE

ENDED = "the agent has ended"

PATIENCE = timedelta(seconds=10)
"""For a pool that may have a history to read again."""

_GONE = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
# The client gives up by itself with the latter.
_LATE = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class Transcript(Data):
    """All that was said, oldest first; `turns` is the digest that stands for it."""

    turns: str
    messages: tuple[Message, ...]


async def say(client: Client, id: str, text: str) -> bool:
    """Say something to the agent that runs as the workflow `id`, which reads it before its next turn; False where none
    runs. Raises `InputError` for what it does not take."""
    try:
        await client.get_workflow_handle(id).execute_update("say", text)
    except RPCError as error:
        if error.status not in _GONE:
            raise
        return False
    except WorkflowUpdateFailedError as error:
        said = str(error.cause)
        if said.startswith(ENDED):
            return False
        raise InputError(f"{id} was not told: {said}") from None
    return True


def sayable(job: Job) -> str:
    """What the job says, as a text for a running agent. Raises `InputError` for what is more than a text."""
    [*others, last] = job.request.messages
    if others or last.role != "user" or last.media:
        conversation = job.context.conversation
        what = f"conversation {conversation!r} is under way, and takes texts alone meanwhile"
        raise InputError(f"{what}; wait for its answer before media or several messages")
    return last.text


async def transcript(client: Client, settings: Settings, id: str) -> Transcript:
    """The transcript of the agent that is, or was, the workflow `id`. Raises `InputError` where there is none."""
    handle = client.get_workflow_handle(id)
    try:
        digest = await handle.query("digest", result_type=str, rpc_timeout=PATIENCE)
    except WorkflowQueryFailedError:
        raise InputError(f"run: {id} is no agent; name a run of one, see `continuo runs`") from None
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise InputError(f"run: no run has the id {id[:80]!r}; see `continuo runs`") from None
        if error.status in _LATE:
            raise InputError(f"run: no pool answers for {id}; start one: continuo workers") from None
        raise
    if not digest:
        raise InputError(f"run: nothing was said to {id} yet")
    namespace = await namespace_of(client)
    try:
        async with opened_payloads(settings, environment()) as database:
            messages = await Turns(database, namespace.id).messages(digest, time.time())
    except (OSError, sqlite3.Error, StoreUnavailable, MissingTurn) as error:
        raise InputError(f"cannot read the transcript: {error}; {ADVICE}") from None
    return Transcript(turns=digest, messages=tuple(messages))
