"""A session with one server of tools."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import structlog
from pydantic import JsonValue, ValidationError

from continuo import __version__
from continuo.config.mcp import McpServer
from continuo.errors import ProviderError
from continuo.providers.limited import MAX_ANSWER
from continuo.tools.limits import MAX_PAGES, MAX_TOOLS
from continuo.tools.remote import connected
from continuo.tools.stdio import started
from continuo.tools.tool import Tool, tool_of

log = structlog.get_logger()

KEY = "continuo/idempotency-key"
"""In `_meta` of a call: the same on every attempt."""


class Session:
    """Any number of calls at once. A task of its own holds it: the scopes inside must be left where they were entered.

    `given` is what its variables held. `unsent` says of a session that broke that its last request never reached the
    server.
    """

    def __init__(self, name: str, server: McpServer, environ: Mapping[str, str]) -> None:
        self.name = name
        self.server = server
        self.unsent = False
        self._too_large = False
        self.given = {variable: environ.get(variable) for variable in server.variables}
        self._environ = environ
        self._end = asyncio.Event()
        self._client: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # Retrieved here, so that one whose callers have left does not complain.
        self._client.add_done_callback(lambda client: client.cancelled() or client.exception())
        self._tools: tuple[Tool, ...] = ()
        self._listed = 0.0
        self._listing = asyncio.Lock()
        self._task = asyncio.create_task(self._hold())

    @property
    def ended(self) -> bool:
        return self._end.is_set() or self._task.done()

    async def aclose(self) -> None:
        """End it, and with it a server that it started."""
        self._end.set()
        if not self._client.done():
            self._task.cancel()
        await asyncio.wait([self._task])

    async def tools(self) -> tuple[Tool, ...]:
        """What the server lists, as it was at most `listed_for` ago. Raises `ProviderError`."""
        async with self._listing:
            if time.monotonic() >= self._listed:
                self._listed = time.monotonic() + self.server.listed_for
                try:
                    async with asyncio.timeout(self.server.connect_timeout):
                        self._tools = await self._list()
                except BaseException as error:
                    self._listed = 0.0
                    if isinstance(error, TimeoutError):
                        message = f"{self.name}: no list of tools within {self.server.connect_timeout:g} s"
                        raise ProviderError("timeout", message, retryable=True) from None
                    raise
            return self._tools

    async def call(self, tool: Tool, arguments: Mapping[str, JsonValue], identity: str) -> Any:
        """The tool's result. Raises `ProviderError`."""
        client = await asyncio.shield(self._client)
        return await self._answered(client.session.call_tool(tool.name, dict(arguments), meta={KEY: identity}))

    async def opened(self) -> None:
        """Wait until it can be used. Raises `ProviderError`, final where the server cannot be started at all."""
        try:
            await asyncio.shield(self._client)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise self._lost("it was ended") from None

    async def _list(self) -> tuple[Tool, ...]:
        from mcp_types import PaginatedRequestParams

        client, cursor, tools = await asyncio.shield(self._client), None, list[Tool]()
        for _ in range(MAX_PAGES):
            page = await self._answered(client.session.list_tools(params=PaginatedRequestParams(cursor=cursor)))
            tools += [tool_of(self.name, tool) for tool in page.tools]
            if len(tools) > MAX_TOOLS:
                raise ProviderError("invalid_response", f"{self.name} lists more than {MAX_TOOLS} tools")
            if (cursor := page.next_cursor) is None:
                return tuple(tools)
        raise ProviderError("invalid_response", f"{self.name} lists its tools on more than {MAX_PAGES} pages")

    async def _answered(self, request: Any) -> Any:
        """The answer of a request. Here alone is decided which errors may pass."""
        from mcp.shared.exceptions import MCPError
        from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST

        try:
            return await request
        except MCPError as error:
            said = " ".join(error.message[:300].split())
            if error.code == CONNECTION_CLOSED:
                self._end.set()
                raise self._lost(said) from None
            if error.code == INVALID_REQUEST and said == "Session terminated":
                # The server has forgotten us, and so has done nothing.
                self.unsent = True
                self._end.set()
                raise self._lost(said) from None
            if error.code == -32603:
                raise ProviderError("server_error", f"{self.name}: {said}", retryable=True) from None
            raise ProviderError("invalid_request", f"{self.name}: {error.code} {said}") from None
        except (RuntimeError, ValidationError, ValueError) as error:
            said = " ".join(str(error)[:300].split())
            raise ProviderError("invalid_response", f"{self.name}: {said}") from None

    def _lost(self, why: str) -> ProviderError:
        if self._too_large:
            # To ask again is no help.
            return ProviderError("invalid_response", f"{self.name}: a message has more than {MAX_ANSWER:,} bytes")
        return ProviderError("connection", f"{self.name}: the connection was lost: {why}", retryable=True)

    async def _hold(self) -> None:
        try:
            from mcp import Client
            from mcp_types import Implementation
        except ImportError:
            message = f"server {self.name!r} needs the extra mcp; pip install 'continuo-patterns[mcp]'"
            self._client.set_exception(ProviderError("invalid_request", message))
            return
        info = Implementation(name="continuo", version=__version__)
        try:
            client = Client(self._transport(), cache=None, client_info=info, message_handler=self._heard)
            async with asyncio.timeout(self.server.connect_timeout) as limit, client:
                limit.reschedule(None)
                listening = asyncio.create_task(self._listen(client))
                self._client.set_result(client)
                try:
                    await self._end.wait()
                finally:
                    listening.cancel()
                    await asyncio.wait([listening])
        except asyncio.CancelledError:
            self._client.cancel()
        except Exception as error:
            first = _first(error)
            log.debug("a session with a server of tools broke", server=self.name, error=f"{first}")
            if not self._client.done():
                self._client.set_exception(self._unopened(first))
        finally:
            self._end.set()

    def _transport(self) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        if self.server.command is not None:
            return started(self.name, self.server, self._environ, self._refuse)
        return connected(self.server, self._environ, self._unreached, self._refuse)

    def _refuse(self) -> None:
        self._too_large = True

    def _unreached(self) -> None:
        self.unsent = True

    def _unopened(self, error: BaseException) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, TimeoutError):
            message = f"{self.name}: not ready within {self.server.connect_timeout:g} s"
            return ProviderError("timeout", message, retryable=True)
        said = " ".join(f"{type(error).__name__}: {error}"[:300].split())
        return ProviderError("connection", f"{self.name}: no session: {said}", retryable=True)

    async def _listen(self, client: Any) -> None:
        """Hear of changes from a server that says so to those alone who listen."""
        # One that does not is asked again after `listed_for`.
        with suppress(Exception):
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    self._listed = 0.0

    async def _heard(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._listed = 0.0


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
