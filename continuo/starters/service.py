"""A small HTTP client for the control side of the stack's own servers."""

from typing import Any

import httpx


class Service:
    """JSON in, JSON out; raises `httpx.HTTPStatusError` for anything but success."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url)

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path)

    async def put(self, path: str, **body: object) -> None:
        await self._ask("PUT", path, body)

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return (await self._http.request(method, path, json=body)).raise_for_status().json()

    async def aclose(self) -> None:
        await self._http.aclose()
