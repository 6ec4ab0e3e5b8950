"""A client of a gateway as others are: it tries again, and says by an `Idempotency-Key` that it does."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

import httpx

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds until a request counts as lost."""

TIMEOUT = 120.0
"""Seconds of one try without a byte."""

FIRST_PAUSE, LAST_PAUSE = 0.25, 4.0
"""Seconds between two tries; the pause doubles, and is a random part of that."""


class Lost(Exception):
    """A request that got no answer, and the reason of its last try."""


class _Again(Exception):
    """A try that says to come again."""


class Client:
    """Its answers are JSON, but for streams. Every method raises `Lost`."""

    def __init__(self, url: str, key: str) -> None:
        headers, limits = {"authorization": f"Bearer {key}"}, httpx.Limits(max_connections=2000)
        self._http = httpx.AsyncClient(base_url=f"{url}/v1", headers=headers, limits=limits, timeout=TIMEOUT)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> httpx.Response:
        return await self._send("GET", path)

    async def post(self, path: str, **content: Any) -> dict[str, Any]:
        """`content` is what httpx takes as such: `json`, or `files` and `data`."""
        headers = {"idempotency-key": str(uuid4())}
        found: dict[str, Any] = (await self._send("POST", path, headers=headers, **content)).json()
        return found

    async def streamed(self, path: str, body: dict[str, Any]) -> str:
        """The text of a streamed completion, gone on with where a connection broke."""
        key, chunks = str(uuid4()), list[dict[str, Any]]()

        async def read() -> str:
            headers = {"idempotency-key": key}
            if chunks:
                headers["x-continuo-resume"] = f"{chunks[0]['id']}:{len(chunks)}"
            async with self._http.stream("POST", path, json=body | {"stream": True}, headers=headers) as response:
                if not response.is_success:
                    await response.aread()
                    _raise_for(response)
                async for line in response.aiter_lines():
                    if line == "data: [DONE]":
                        return "".join(map(_text, chunks))
                    if line.startswith("data: {"):
                        chunk = json.loads(line.removeprefix("data: "))
                        if "error" in chunk:
                            raise _Again(f"the stream ended in {chunk['error']}")
                        chunks.append(chunk)
            raise _Again("the stream ended without its end")

        return await _tried(read)

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            response = await self._http.request(method, path, **more)
            if not response.is_success:
                _raise_for(response)
            return response

        return await _tried(send)


async def _tried(send: Callable[[], Awaitable[T]]) -> T:
    ends, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
    while True:
        try:
            return await send()
        except (httpx.TransportError, _Again) as error:
            if time.monotonic() > ends:
                raise Lost(f"{type(error).__name__}: {error}") from None
        await asyncio.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, LAST_PAUSE)


def _raise_for(response: httpx.Response) -> None:
    reason = f"{response.status_code}: {response.text[:300]}"
    again = response.status_code in (408, 409, 429) or response.status_code >= 500
    raise _Again(reason) if again and response.headers.get("x-should-retry") != "false" else Lost(reason)


def _text(chunk: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
