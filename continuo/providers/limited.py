"""What an upstream may take: one time for the whole exchange, and so many bytes, counted once they are unpacked."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from continuo.errors import ProviderError

MAX_ANSWER = 16 * 2**20
MAX_ERROR = 64 * 2**10
"""Bytes of a body, unpacked."""

ACCEPTED = {"Accept-Encoding": "gzip, deflate"}
"""Sent with every request: these are the encodings that can be unpacked piece by piece."""


@asynccontextmanager
async def at_most(name: str, seconds: float) -> AsyncIterator[None]:
    """A limit on all that happens inside, however the upstream drips. Raises `ProviderError` of kind `timeout`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        message = f"{name}: no whole answer within {seconds:g} s"
        raise ProviderError("timeout", message, retryable=True) from error


async def body(name: str, response: httpx.Response, limit: int) -> bytes:
    """The body, unpacked as it arrives. Raises `ProviderError` for more than `limit` bytes: to ask again is no help."""
    whole = bytearray()
    async for piece in pieces(name, response):
        whole += piece
        if len(whole) > limit:
            raise ProviderError("invalid_response", f"{name}: its body has more than {limit:,} bytes")
    return bytes(whole)


async def pieces(name: str, response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it arrives, each piece of at most `_PIECE` unpacked bytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for raw in response.aiter_raw():
            yield raw
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ProviderError(
            "invalid_response", f"{name}: its body is packed as {encoding[:40]!r}, not as gzip or deflate"
        )
    # 47: the header says which of the two it is.
    inflate = zlib.decompressobj(47)
    try:
        async for raw in response.aiter_raw():
            while raw and not inflate.eof:
                yield inflate.decompress(raw, _PIECE)
                raw = inflate.unconsumed_tail
    except zlib.error as error:
        raise ProviderError(
            "invalid_response", f"{name}: its body cannot be unpacked: {error}", retryable=True
        ) from error


_PIECE = 64 * 2**10
