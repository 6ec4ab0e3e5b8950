"""What an upstream may take: one time for the whole exchange, and so many bytes, counted once they are unpacked."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from continuo.errors import ProviderError

MAX_ANSWER = 16 * 2**20
MAX_ERROR = 64 * 2**10
MAX_STREAM = 64 * 2**20
"""Bytes of a body, unpacked. A stream has some 350 around each token, and answers have up to 128,000 of them."""

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


async def body(response: httpx.Response, limit: int) -> bytes:
    """The whole body. Raises as `pieces` does."""
    whole = bytearray()
    async for piece in pieces(response, limit):
        whole += piece
    return bytes(whole)


async def pieces(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """The body as it arrives, unpacked.

    Raises `ProviderError`, without the upstream's name, for more than `limit` bytes: to ask again is no help.
    """
    arrived = 0
    async for piece in _unpacked(response):
        arrived += len(piece)
        if arrived > limit:
            raise ProviderError("invalid_response", f"its body has more than {limit:,} bytes")
        yield piece


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for raw in response.aiter_raw():
            yield raw
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ProviderError("invalid_response", f"its body is packed as {encoding[:40]!r}, not as gzip or deflate")
    # 47: the header says which of the two it is.
    inflate = zlib.decompressobj(47)
    try:
        async for raw in response.aiter_raw():
            while raw and not inflate.eof:
                yield inflate.decompress(raw, _PIECE)
                raw = inflate.unconsumed_tail
    except zlib.error as error:
        raise ProviderError("invalid_response", f"its body cannot be unpacked: {error}", retryable=True) from error


_PIECE = 64 * 2**10
