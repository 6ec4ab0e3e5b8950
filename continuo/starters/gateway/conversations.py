"""OpenAI's `/v1/conversations`, and the items in them."""

import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.guardrails.restoring import Restoring
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.kept import check, content, current, missing
from continuo.starters.gateway.kept_items import check_size, page
from continuo.starters.gateway.private import keep, restoring, withheld
from continuo.starters.gateway.state import Gateway
from continuo.stores.conversations import Conversation
from continuo.stores.items import drop_item, item_of, media_of
from continuo.wire import responses
from continuo.wire.kept import is_id, named, whole
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    gateway, key = await entered(http)
    id = f"conv_{uuid4().hex}"
    # It may be without a body.
    text, private = await withheld(gateway, key, await http.body() or b"{}", id)
    body = parsed(responses.ConversationBody, text)
    new = Conversation(id, key.tenant, time.time(), body.metadata or {})
    made = await asyncio.to_thread(content, gateway, _items(body.items or []))
    check_size(made.size, "items")
    await keep(gateway, key, private, id)
    await gateway.conversations.create(new, made)
    return JSONResponse(private.restored_wire(_shown(new)))


async def retrieve(http: Request) -> Response:
    _, _, conversation, private = await _named(http)
    return JSONResponse(private.restored_wire(_shown(conversation)))


async def update(http: Request) -> Response:
    gateway, key, conversation, _ = await _named(http)
    text, private = await withheld(gateway, key, await http.body(), conversation.id)
    metadata = parsed(responses.UpdateBody, text).metadata or {}
    await keep(gateway, key, private, conversation.id)
    await gateway.conversations.describe(conversation.id, metadata)
    return JSONResponse(private.restored_wire({**_shown(conversation), "metadata": metadata}))


async def delete(http: Request) -> Response:
    gateway, key, conversation, _ = await _named(http)
    await gateway.conversations.delete(conversation.id)
    await gateway.vault.drop(key.tenant, conversation.id)
    return JSONResponse({"id": conversation.id, "object": "conversation.deleted", "deleted": True})


async def create_items(http: Request) -> Response:
    gateway, key, conversation, _ = await _named(http)
    text, private = await withheld(gateway, key, await http.body(), conversation.id)
    items = _items(parsed(responses.ItemsBody, text).items)
    made = await asyncio.to_thread(content, gateway, items)
    await keep(gateway, key, private, conversation.id)
    await gateway.conversations.add(conversation.id, made, time.time(), partial(check_size, param="items"))
    return JSONResponse(private.restored_wire(responses.page(items, order="asc")))


async def list_items(http: Request) -> Response:
    gateway, _, conversation, private = await _named(http)
    return JSONResponse(private.restored_wire(await page(gateway, http, conversation.id)))


async def retrieve_item(http: Request) -> Response:
    gateway, _, conversation, private = await _named(http)
    id = http.path_params["item"]
    item = await item_of(gateway.store, conversation.id, id) if is_id(id) else None
    if item is None:
        raise missing("item", id, "item")
    read = json.loads(item.content)
    media = await media_of(gateway.store, conversation.id, named(read))
    return JSONResponse(private.restored_wire(whole(read, media)))


async def delete_item(http: Request) -> Response:
    gateway, _, conversation, private = await _named(http)
    id = http.path_params["item"]
    if not is_id(id) or not await drop_item(gateway.store, conversation.id, id):
        raise missing("item", id, "item")
    return JSONResponse(private.restored_wire(_shown(conversation)))


class Named(NamedTuple):
    """A conversation that a caller has named, and what restores it."""

    gateway: Gateway
    key: ApiKey
    conversation: Conversation
    private: Restoring


async def _named(http: Request) -> Named:
    """The conversation that the path names, with all that was said in it."""
    gateway, key = await entered(http)
    id = http.path_params["id"]
    conversation = await gateway.conversations.find(key.tenant, id) if is_id(id) else None
    if conversation is None:
        raise missing("conversation", id, "id")
    async for kept in gateway.answers.open(conversation=id):
        await current(gateway, kept)
    return Named(gateway, key, conversation, await restoring(gateway, key, id))


def _items(items: Sequence[responses.Item]) -> list[dict[str, Any]]:
    """Raises `WireError` for one that is too large."""
    made = responses.input_items(items, uuid4().hex)
    check(made, "items")
    return made


def _shown(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created),
        "metadata": dict(conversation.metadata),
    }
