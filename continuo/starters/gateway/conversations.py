"""OpenAI's `/v1/conversations`, and the items in them."""

import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.kept import check, content, current, missing
from continuo.starters.gateway.kept_items import check_size, page
from continuo.starters.gateway.state import Gateway
from continuo.stores.conversations import Conversation
from continuo.stores.items import drop_item, item_of, media_of
from continuo.wire import responses
from continuo.wire.kept import is_id, named, whole
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    gateway, tenant = await _caller(http)
    # It may be without a body.
    body = parsed(responses.ConversationBody, await http.body() or b"{}")
    new = Conversation(f"conv_{uuid4().hex}", tenant, time.time(), body.metadata or {})
    made = await asyncio.to_thread(content, gateway, _items(body.items or []))
    check_size(made.size, "items")
    await gateway.conversations.create(new, made)
    return JSONResponse(_shown(new))


async def retrieve(http: Request) -> Response:
    _, conversation = await _found(http)
    return JSONResponse(_shown(conversation))


async def update(http: Request) -> Response:
    gateway, conversation = await _found(http)
    metadata = parsed(responses.UpdateBody, await http.body()).metadata or {}
    await gateway.conversations.describe(conversation.id, metadata)
    return JSONResponse({**_shown(conversation), "metadata": metadata})


async def delete(http: Request) -> Response:
    gateway, conversation = await _found(http)
    await gateway.conversations.delete(conversation.id)
    return JSONResponse({"id": conversation.id, "object": "conversation.deleted", "deleted": True})


async def create_items(http: Request) -> Response:
    gateway, conversation = await _found(http)
    items = _items(parsed(responses.ItemsBody, await http.body()).items)
    made = await asyncio.to_thread(content, gateway, items)
    await gateway.conversations.add(conversation.id, made, time.time(), partial(check_size, param="items"))
    return JSONResponse(responses.page(items, order="asc"))


async def list_items(http: Request) -> Response:
    gateway, conversation = await _found(http)
    return JSONResponse(await page(gateway, http, conversation.id))


async def retrieve_item(http: Request) -> Response:
    gateway, conversation = await _found(http)
    id = http.path_params["item"]
    item = await item_of(gateway.store, conversation.id, id) if is_id(id) else None
    if item is None:
        raise missing("item", id, "item")
    read = json.loads(item.content)
    return JSONResponse(whole(read, await media_of(gateway.store, conversation.id, named(read))))


async def delete_item(http: Request) -> Response:
    gateway, conversation = await _found(http)
    id = http.path_params["item"]
    if not is_id(id) or not await drop_item(gateway.store, conversation.id, id):
        raise missing("item", id, "item")
    return JSONResponse(_shown(conversation))


async def _caller(http: Request) -> tuple[Gateway, str]:
    gateway, key = await entered(http)
    return gateway, key.tenant


async def _found(http: Request) -> tuple[Gateway, Conversation]:
    """The conversation that the path names, with all that was said in it."""
    gateway, tenant = await _caller(http)
    id = http.path_params["id"]
    conversation = await gateway.conversations.find(tenant, id) if is_id(id) else None
    if conversation is None:
        raise missing("conversation", id, "id")
    async for kept in gateway.answers.open(conversation=id):
        await current(gateway, kept)
    return gateway, conversation


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
