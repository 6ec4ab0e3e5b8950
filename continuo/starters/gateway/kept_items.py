"""Items that are kept, with their media again: all of them for a model, or a page of them for whoever lists them."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Literal

from starlette.requests import Request

from continuo.starters.gateway.state import Gateway
from continuo.stores.items import Size, items_of, media_of, size_of
from continuo.wire import responses
from continuo.wire.errors import WireError
from continuo.wire.kept import named, whole
from continuo.wire.listing import listing
from continuo.wire.query import number

Order = Literal["asc", "desc"]

MOST = Size(items=2_000, text=16 * 1024 * 1024, media=64 * 1024 * 1024)
"""What earlier turns and a request may have together; text is counted as JSON, media as base64."""

MAX_PAGE = 32 * 1024 * 1024
"""Bytes of media on a page, which ends behind the item that exceeds it."""


async def kept_items(
    gateway: Gateway, owners: Sequence[str], param: str, more: Size
) -> dict[str, list[dict[str, Any]]]:
    """Those of each owner. Raises `WireError` where they are too much together with `more`."""
    check_size(await size_of(gateway.store, owners) + more, param)
    kept = await items_of(gateway.store, owners)
    made, size = {}, 0
    for owner, items in kept.items():
        read = [json.loads(item.content) for item in items]
        names = named(read)
        media = await media_of(gateway.store, owner, [*{*names}])
        # One that stands in several turns is kept once, and read into each.
        size += sum(len(media.get(name, b"")) for name in names)
        check_size(Size(media=size), param)
        made[owner] = await asyncio.to_thread(whole, read, media)
    return made


def check_size(size: Size, param: str) -> None:
    """Raise `WireError` for more than earlier turns may have."""
    for what, there, most in (
        ("items", size.items, MOST.items),
        ("bytes of text", size.text, MOST.text),
        ("bytes of media", size.media, MOST.media),
    ):
        if there > most:
            message = f"{param}: with the turns before there are {there:,} {what}, more than {most:,}; begin anew"
            raise WireError(400, message, param, "too_large")


async def page(gateway: Gateway, http: Request, owner: str, order: Order = "desc") -> dict[str, Any]:
    """The page that the query asks for: `limit`, `order`, `after`. Raises `WireError` for what is none."""
    query = http.query_params
    kept = [json.loads(item.content) for item in (await items_of(gateway.store, [owner]))[owner]]
    limit, order = number(query.get("limit"), "limit", 20), ordered(query.get("order", order))
    made = responses.page(kept, limit=limit, order=order, after=query.get("after"))
    data: list[Any] = []
    size = 0
    for item in made["data"]:
        media = await media_of(gateway.store, owner, named(item))
        data.append(whole(item, media))
        size += sum(map(len, media.values()))
        if size > MAX_PAGE:
            break
    return listing(data, more=made["has_more"] or len(data) < len(made["data"]))


def ordered(text: str) -> Order:
    if text not in ("asc", "desc"):
        raise WireError(400, f"order: {text[:40]!r} is neither asc nor desc", "order", "invalid_value")
    return "asc" if text == "asc" else "desc"
