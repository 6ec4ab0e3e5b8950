"""`/v1/chat/completions` that were made with `store: true`: listed, retrieved, changed, deleted, and their messages."""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.callers import caller
from continuo.starters.gateway.kept import find, missing, named
from continuo.starters.gateway.kept_items import ordered, page
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
            page.append(_shown(kept))
    return JSONResponse(listing(page, more=False))


async def retrieve(http: Request) -> Response:
    _, kept = await _found(http)
    return JSONResponse(_shown(kept))


async def update(http: Request) -> Response:
    gateway, kept = await _found(http)
    metadata = parsed(chat.UpdateBody, await http.body()).metadata or {}
    await gateway.answers.describe(kept.tenant, "completion", kept.id, metadata)
    return JSONResponse(chat.shown(kept.answer or {}, metadata))


async def delete(http: Request) -> Response:
    gateway, kept = await _found(http)
    await gateway.answers.delete(kept)
    return JSONResponse({"id": kept.id, "object": "chat.completion.deleted", "deleted": True})


async def messages(http: Request) -> Response:
    gateway, kept = await _found(http)
    return JSONResponse(await page(gateway, http, kept.id, "asc"))


async def _found(http: Request) -> tuple[Gateway, Kept]:
    """The completion that the path names; one that has no answer is none."""
    gateway, kept = await named(http, "completion")
    if kept.status != "completed":
        raise missing("completion", kept.id, "id")
    return gateway, kept


def _shown(kept: Kept) -> Mapping[str, object]:
    return chat.shown(kept.answer or {}, kept.metadata)
