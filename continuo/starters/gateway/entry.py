"""The way of a request that runs something: who calls, what the body says, and the run of it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from continuo.starters.gateway.callers import caller, resolver
from continuo.starters.gateway.runs import Answering, begin
from continuo.starters.gateway.state import Gateway
from continuo.wire.accepted import Accepted
from continuo.wire.parsed import Shape, parsed

Body = TypeVar("Body", bound=Shape)
Resolve = Callable[[str], str]


async def entered(
    http: Request, shape: type[Body], accept: Callable[[Body, Resolve], Accepted]
) -> tuple[Body, Answering]:
    """The body, and its run. Raises `WireError` for whatever is refused, before anything runs."""
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    http.scope["key_id"] = key.id
    content = await http.body()

    def read() -> tuple[Body, Accepted]:
        body = parsed(shape, content)
        return body, accept(body, resolver(gateway.door.library, key))

    # In a thread, since the body may be large, and files may have to be looked at.
    body, accepted = await asyncio.to_thread(read)
    return body, await begin(gateway, http, key, accepted, content)
