"""The servers of tools of a catalog, each with one session in this process."""

import asyncio

from continuo.authoring.library import Library
from continuo.errors import ProviderError
from continuo.stores.tools import AcceptedTools
from continuo.tools.session import Session
from continuo.tools.tool import Tool, digest


class ToolServers:
    """A session is opened when it is first needed, and anew where it broke, or the catalog or a variable of it says
    something else.

    From an activity: `await servers.tools("shop")` lists what a server offers, and `servers.call` calls one of them.
    """

    def __init__(self, library: Library, accepted: AcceptedTools) -> None:
        self._library = library
        self._accepted = accepted
        self._sessions: dict[str, Session] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def tools(self, name: str) -> tuple[Tool, ...]:
        """The tools that may be used of the server, without those that have changed since they were accepted.

        Raises `ProviderError`.
        """
        listed = await self.listed(name)
        known = await self._accepted.first(name, {tool.name: tool.definition for tool in listed})
        return tuple(tool for tool in listed if tool.definition == known[tool.name])

    async def tool(self, name: str, tool: str) -> Tool:
        """One of them. Raises `ProviderError`, of kind `tool_changed` for one that has changed."""
        listed = {one.name: one for one in await self.listed(name)}
        if (now := listed.get(tool)) is None:
            raise ProviderError("not_found", f"server {name!r} has no tool {tool[:80]!r} that may be used")
        before = (await self._accepted.first(name, {tool: now.definition}))[tool]
        if before != now.definition:
            change = f"tool {tool!r} of server {name!r} has changed from {digest(before)} to {now.digest}"
            raise ProviderError("tool_changed", f"{change}; see it with: continuo mcp show {name}, then accept it")
        return now

    async def listed(self, name: str) -> tuple[Tool, ...]:
        """What the server lists and its `tools` allow, accepted or not. Raises `ProviderError`."""
        session = await self.session(name)
        return tuple(tool for tool in await session.tools() if session.server.allows(tool.name))

    async def session(self, name: str) -> Session:
        """The session with the server, which can be used. Raises `ProviderError`."""
        server = (await self._library.catalog_with(mcp=name)).mcp.get(name)
        if server is None:
            raise ProviderError("not_found", f"this worker's catalog has no server of tools {name!r}")
        environ = self._library.environ
        given = {variable: environ.get(variable) for variable in server.variables}
        for variable, value in given.items():
            if not value:
                raise ProviderError("unauthorized", f"this worker has no {variable} in its environment")
        session = self._sessions.get(name)
        if session is None or session.ended or (session.server, session.given) != (server, given):
            if session is not None:
                closing = asyncio.create_task(session.aclose())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            session = self._sessions[name] = Session(name, server, environ)
        await session.opened()
        return session

    async def aclose(self) -> None:
        await asyncio.gather(*(session.aclose() for session in self._sessions.values()), *self._closing)
