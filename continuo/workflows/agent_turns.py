"""What an agent asks stores and servers, and has examined; of its turns its history holds digests alone."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from temporalio import workflow

from continuo.activities.mcp import ToolCalls
from continuo.activities.turns import Added, Opening, TurnKeeping
from continuo.jobs import Job
from continuo.messages import Message
from continuo.parameters import Tool
from continuo.patterns import Mcp
from continuo.stores.turns import Conversation, Turn
from continuo.temporal.activity_options import options
from continuo.workflows.local_limits import STORE_LIMIT


def conversation_of(job: Job) -> Conversation | None:
    """The conversation that the whole run is a part of, if it is an agent's own."""
    id = job.context.conversation
    if id is None or job.path:
        return None
    return Conversation(tenant=job.context.tenant, pattern=job.context.pattern, id=id)


# Without a last attempt: an agent waits for its store, and loses nothing that it has paid for.


async def add(job: Job, parent: Turn | None, messages: Sequence[Message]) -> Turn:
    added = Added(parent=parent and parent.digest, messages=tuple(messages), conversation=conversation_of(job))
    return await workflow.execute_local_activity_method(TurnKeeping.add, added, start_to_close_timeout=STORE_LIMIT)


async def last_turn(conversation: Conversation) -> Turn | None:
    return await workflow.execute_local_activity_method(
        TurnKeeping.last, conversation, start_to_close_timeout=STORE_LIMIT
    )


async def open_context(first: str | None, note: str) -> Turn:
    opening = Opening(first=first, note=note)
    return await workflow.execute_local_activity_method(TurnKeeping.open, opening, start_to_close_timeout=STORE_LIMIT)


async def list_tools(server: str) -> tuple[Tool, ...]:
    return await workflow.execute_activity_method(
        ToolCalls.list, server, summary=f"tools of {server}", **options(Mcp(server=server, tool="tools/list"))
    )


async def examine(texts: Sequence[str], schemas: Sequence[Mapping[str, JsonValue] | None]) -> list[str | None]:
    """What is wrong with each text for its schema."""
    return await workflow.execute_local_activity_method(
        TurnKeeping.examine, args=[list(texts), list(schemas)], start_to_close_timeout=STORE_LIMIT
    )
