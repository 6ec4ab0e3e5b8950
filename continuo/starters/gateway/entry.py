"""The way of a request that runs something: who calls, what the body says, and the run of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request

from continuo.guardrails.private import Private
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import caller, resolver
from continuo.starters.gateway.private import SMALL, withheld
from continuo.starters.gateway.runs import Answering, begin
from continuo.starters.gateway.state import Gateway
from continuo.wire.accepted import Accepted
from continuo.wire.parsed import Shape, parsed

Body = TypeVar("Body", bound=Shape)
Resolve = Callable[[str], str]


@dataclass(frozen=True)
class Entered(Generic[Body]):
    """A body with placeholders, its run, and whose it is. `content` is the body as it came."""

    gateway: Gateway
    key: ApiKey
    body: Body
    answering: Answering
    private: Private
    content: bytes

    def shown(self) -> Body:
        """The body without placeholders, for answers that repeat it."""
        return parsed(type(self.body), self.content) if self.private.values else self.body


async def entered(
    http: Request,
    shape: type[Body],
    accept: Callable[[Body, Resolve], Accepted],
    continued: Callable[[Gateway, str, Body], Awaitable[Body]] | None = None,
) -> Entered[Body]:
    """The body, and its run. Raises `WireError` for whatever is refused, before anything runs.

    What runs is the body as `continued` makes it, for the tenant of this name, where that is given.
    """
    gateway: Gateway = http.app.state.gateway
    key = await caller(gateway, http)
    content, private = await withheld(gateway, key, await http.body())

    def accepted(body: Body) -> Accepted:
        return accept(body, resolver(gateway.door.library, key))

    # The rest is for a thread, since the body may be large, and files may have to be looked at.
    small = len(content) <= SMALL
    body = parsed(shape, content) if small else await asyncio.to_thread(parsed, shape, content)
    whole = await continued(gateway, key.tenant, body) if continued else body
    # Of a repeated request every byte is the same.
    answering = await begin(gateway, http, key, await asyncio.to_thread(accepted, whole), await http.body(), private)
    return Entered(gateway, key, body, answering, private, await http.body())
