"""The turns before a request: of the responses that it goes on from, or of its conversation."""

import asyncio
from typing import Any, TypeVar

from continuo.starters.gateway.kept import current, missing
from continuo.starters.gateway.kept_items import check_size, kept_items
from continuo.starters.gateway.state import Gateway
from continuo.stores.items import Size
from continuo.wire import responses
from continuo.wire.errors import WireError
from continuo.wire.kept import is_id

MOST_RESPONSES = 1_000
"""In a chain."""

PREVIOUS = "previous_response_id"

Asked = TypeVar("Asked", bound=responses.CountBody)


async def with_earlier(gateway: Gateway, tenant: str, body: Asked) -> Asked:
    """The body with the items of earlier turns before its own. Raises `WireError` where there are none to be had."""
    # Both are refused later.
    if body.conversation:
        earlier = await _of_conversation(gateway, tenant, body.conversation.id, len(body.input))
    elif body.previous_response_id:
        earlier = await _of_responses(gateway, tenant, body.previous_response_id)
    else:
        return body
    return await asyncio.to_thread(responses.continued, body, earlier)


async def _of_conversation(gateway: Gateway, tenant: str, id: str, more: int) -> list[dict[str, Any]]:
    if not is_id(id) or await gateway.conversations.find(tenant, id) is None:
        raise missing("conversation", id, "conversation")
    async for kept in gateway.answers.open(conversation=id):
        # One that has ended though nobody has kept it belongs to what was said before.
        await current(gateway, kept)
    return (await kept_items(gateway, [id], "conversation", more))[id]


async def _of_responses(gateway: Gateway, tenant: str, id: str) -> list[dict[str, Any]]:
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
    inputs = await kept_items(gateway, [kept.id for kept in chain], PREVIOUS)
    items = [item for kept in chain for item in [*inputs[kept.id], *(kept.answer or {})["output"]]]
    check_size(Size(len(items)), PREVIOUS)
    return items


def _refused(message: str, code: str = "invalid_value") -> WireError:
    return WireError(400, f"{PREVIOUS}: {message}", PREVIOUS, code)
