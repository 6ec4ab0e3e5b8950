"""The one HTTP client, as the batches of a provider use it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from continuo.errors import ProviderError
from continuo.providers.client import ModelClient, is_simulated
from continuo.providers.limited import MAX_STREAM, at_most, body, pieces
from continuo.providers.protocol import Json, WireRequest

MAX_RESULTS = 8 * 2**30
"""Bytes of all lines of a batch's results, unpacked."""

PATIENCE = 120.0
"""Seconds for one answer, and for each piece of one that comes in lines, or of what is sent."""

LONGEST = 1800.0
"""Seconds for all that is sent, and its answer."""


class ProviderHttp:
    """Reaches one `provider`; see `BatchHttp`. `key` begins what goes out as `Idempotency-Key`, and `headers` are those
    of all that is sent.

    `simulated` is what the last answer said.
    """

    def __init__(self, client: ModelClient, provider: str, key: str, headers: dict[str, str] | None = None) -> None:
        self._client = client
        self._provider = provider
        self._key = key
        self._headers = headers or {}
        self.simulated = False

    async def get(self, path: str) -> Json:
        return await self._answer(WireRequest(path, {}, method="GET"), PATIENCE)

    async def post(self, path: str, content: Sequence[bytes] = (b"{}",), type: str = "application/json") -> Json:
        headers = {**self._headers, "Content-Type": type, "Content-Length": str(sum(map(len, content)))}
        return await self._answer(WireRequest(path, {}, headers=headers, content=content), LONGEST)

    async def lines(self, path: str) -> AsyncIterator[Json]:
        async with self._response(WireRequest(path, {}, method="GET")) as response:
            async for line in lines_of(pieces(response, MAX_RESULTS)):
                yield await self._client.read(line, _itself)

    async def _answer(self, sent: WireRequest, seconds: float) -> Json:
        async with at_most(self._provider, seconds), self._response(sent) as response:
            return await self._client.read(await body(response, MAX_STREAM), _itself)

    @asynccontextmanager
    async def _response(self, sent: WireRequest) -> AsyncIterator[httpx.Response]:
        """The URL of what is sent is its path."""
        # What is sent to two paths are two requests.
        asking = self._client.responding(
            self._provider, lambda url: replace(sent, url=f"{url}{sent.url}"), PATIENCE, f"{self._key}{sent.url}"
        )
        async with asking as response:
            self.simulated = is_simulated(response)
            yield response


async def lines_of(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines that are not empty, of text in pieces. Raises `ProviderError` for one that is too long."""
    line = bytearray()
    async for piece in pieces:
        first, *others = piece.split(b"\n")
        line += first
        for other in others:
            if line.strip():
                yield bytes(line)
            line = bytearray(other)
        if len(line) > MAX_STREAM:
            raise ProviderError("invalid_response", f"a line of its results has more than {MAX_STREAM:,} bytes")
    if line.strip():
        yield bytes(line)


def _itself(value: Json) -> Json:
    return value
