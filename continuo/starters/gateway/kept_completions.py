"""`/v1/chat/completions` that were made with `store: true`: listed, retrieved, changed, deleted, and their messages."""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller
from continuo.starters.gateway.kept import Named, find, missing, named
from continuo.starters.gateway.kept_items import ordered, page
from continuo.starters.gateway.private import keep, restoring, withheld
from continuo.starters.gateway.state import Gateway
from continuo.stores.answers import Kept
from continuo.wire import chat
from continuo.wire.errors import WireError
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed
from continuo.wire.query import number

MOST = 100
"""Completions on a page."""

_METADATA = re.compile(r"metadata\[([^\]]+)\]")


async def list_completions(http: Request) -> Response:
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    query = http.query_params
    limit, order = number(query.get("limit"), "limit", 20), ordered(query.get("order", "asc"))
    if not 1 <= limit <= MOST:
        raise WireError(400, f"limit: {limit} is not from 1 to {MOST}", "limit", "invalid_value")
    after = query.get("after")
    last = await find(gateway, key.tenant, "completion", after, "after") if after is not None else None
    wanted = {match[1]: value for name, value in query.items() if (match := _METADATA.fullmatch(name))}
    model = query.get("model")
    if model is not None and not model.isprintable():
        raise WireError(400, "model: this is no name of a model", "model", "invalid_value")
    page: list[Mapping[str, object]] = []
    listed = gateway.answers.listed(key.tenant, "completion", model=model, after=last, newest_first=order == "desc")
    async for kept in listed:
        if wanted.items() <= kept.metadata.items():
            if len(page) == limit:
                return JSONResponse(listing(page, more=True))
            page.append((await restoring(gateway, key, kept.id)).restored_wire(_shown(kept)))
    return JSONResponse(listing(page, more=False))


async def retrieve(http: Request) -> Response:
    completion = await _named(http)
    return completion.shown(_shown(completion.kept))


async def update(http: Request) -> Response:
    completion = await _named(http)
    gateway, key, kept, _ = completion
    content, private = await withheld(gateway, key, await http.body(), kept.id)
    metadata = parsed(chat.UpdateBody, content).metadata or {}
    await keep(gateway, key, private, kept.id)
    await gateway.answers.describe(kept.tenant, "completion", kept.id, metadata)
    return JSONResponse(private.restored_wire(chat.shown(kept.answer or {}, metadata)))


async def delete(http: Request) -> Response:
    gateway, key, kept, _ = await _named(http)
    await gateway.answers.delete(kept)
    await gateway.vault.drop(key.tenant, kept.id)
    return JSONResponse({"id": kept.id, "object": "chat.completion.deleted", "deleted": True})


async def messages(http: Request) -> Response:
    completion = await _named(http)
    return completion.shown(await page(completion.gateway, http, completion.kept.id, "asc"))


async def _named(http: Request) -> Named:
    """The completion that the path names; one that has no answer is none."""
    completion = await named(http, "completion")
    if completion.kept.status != "completed":
        raise missing("completion", completion.kept.id, "id")
    return completion


def _shown(kept: Kept) -> Mapping[str, object]:
    return chat.shown(kept.answer or {}, kept.metadata)
