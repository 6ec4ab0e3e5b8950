"""A server of tools at a URL, by streamable HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from continuo.config.mcp import McpServer
from continuo.providers.client import CONNECT_TIMEOUT, checked_key
from continuo.providers.limited import MAX_ANSWER


@asynccontextmanager
async def connected(
    server: McpServer, environ: Mapping[str, str], unreached: Callable[[], None], too_large: Callable[[], None]
) -> AsyncIterator[tuple[Any, Any]]:
    """The streams of messages from and to the server. `unreached` is called when a request found no server,
    `too_large` when it says too much."""
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: httpx2.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            arrived = 0
            async for piece in self._stream:
                arrived += len(piece)
                if arrived > MAX_ANSWER:
                    too_large()
                    raise httpx2.ReadError(f"the answer has more than {MAX_ANSWER:,} bytes")
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    class Transport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            # What is packed could be any size once it is unpacked.
            request.headers["Accept-Encoding"] = "identity"
            try:
                response = await super().handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
                unreached()
                raise
            if response.headers.get("content-encoding", "identity") != "identity":
                await response.aclose()
                raise httpx2.ReadError("the answer is packed, which was not asked for")
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = Bounded(response.stream)
            return response

    headers = {name: checked_key(variable, environ) for name, variable in server.headers.items()}
    # How long an answer may take is said by each call.
    timeout = httpx2.Timeout(CONNECT_TIMEOUT, read=None)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, transport=Transport()) as client,
        streamable_http_client(server.url or "", http_client=client, max_sse_event_size=MAX_ANSWER) as streams,
    ):
        yield streams
