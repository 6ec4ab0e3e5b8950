"""The turns before a request: of the responses that it goes on from, or of its conversation."""

import asyncio
import json
from typing import Any, TypeVar

from continuo.starters.gateway.kept import content, current, missing
from continuo.starters.gateway.kept_items import kept_items
from continuo.starters.gateway.state import Gateway
from continuo.stores.conversations import ROOM
from continuo.stores.items import Size
from continuo.wire import responses
from continuo.wire.errors import WireError
from continuo.wire.kept import is_id

MOST_RESPONSES = 1_000
"""In a chain."""

PREVIOUS = "previous_response_id"

Body = TypeVar("Body", bound=responses.CountBody)


async def with_earlier(gateway: Gateway, tenant: str, body: Body) -> Body:
    """The body with the items of earlier turns before its own. Raises `WireError` where there are none to be had."""
    if not (body.conversation or body.previous_response_id):
        return body
    own = (await asyncio.to_thread(content, gateway, responses.input_items(body.input, "new"))).size
    # Both are refused later.
    if body.conversation:
        earlier = await _of_conversation(gateway, tenant, body.conversation.id, own + Size(text=ROOM))
    else:
        earlier = await _of_responses(gateway, tenant, body.previous_response_id or "", own)
    return await asyncio.to_thread(responses.continued, body, earlier)


async def _of_conversation(gateway: Gateway, tenant: str, id: str, more: Size) -> list[dict[str, Any]]:
    if not is_id(id) or await gateway.conversations.find(tenant, id) is None:
        raise missing("conversation", id, "conversation")
    async for kept in gateway.answers.open(conversation=id):
        # One that has ended though nobody has kept it belongs to what was said before.
        await current(gateway, kept)
    return (await kept_items(gateway, [id], "conversation", more))[id]


async def _of_responses(gateway: Gateway, tenant: str, id: str, own: Size) -> list[dict[str, Any]]:
    chain = await gateway.answers.chain(tenant, id, MOST_RESPONSES) if is_id(id) else []
    if not chain:
        raise missing("previous_response", id, PREVIOUS)
    if len(chain) == MOST_RESPONSES:
        raise _refused(f"it goes on from {MOST_RESPONSES:,} responses or more; begin anew", "too_long")
    if chain[0].previous is not None:
        raise _refused(f"{chain[0].previous} before it was deleted; send the whole conversation as input")
    chain = [await current(gateway, kept) for kept in chain]
    for kept in chain:
        if kept.conversation is not None:
            raise _refused(f"{kept.id} belongs to a conversation; give that: conversation: {kept.conversation!r}")
        if kept.status not in ("completed", "incomplete"):
            raise _refused(f"{kept.id} has no answer, it is {kept.status}", "previous_response_not_completed")
    outputs = {kept.id: (kept.answer or {})["output"] for kept in chain}
    said = [json.dumps(item) for output in outputs.values() for item in output]
    inputs = await kept_items(gateway, [*outputs], PREVIOUS, own + Size(len(said), sum(map(len, said))))
    return [item for id, output in outputs.items() for item in [*inputs[id], *output]]


def _refused(message: str, code: str = "invalid_value") -> WireError:
    return WireError(400, f"{PREVIOUS}: {message}", PREVIOUS, code)
