"""A gateway as a process of its own, and keys for it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai

from continuo.config.settings import Settings, environment
from continuo.protection.api_keys import ApiKey, new_id, new_secret
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from continuo.workers.local.ports import listening
from continuo.workers.local.processes import Child, module


class GatewayProcess:
    """Its socket is held here while it is killed and started again."""

    def __init__(self, log: Path) -> None:
        self.socket = listening(0, "gateway")
        self.url = f"http://127.0.0.1:{self.port}"
        line = module("continuo", "gateway", "--socket", str(self.socket.fileno()))
        self.child = Child("gateway", line, log, "gateway ready", os.environ, sockets=[self.socket])
        self.secret = ""

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def openai(self, secret: str | None = None, **options: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=secret or self.secret, **options)

    def anthropic(self, secret: str | None = None, **options: Any) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.url, api_key=secret or self.secret, **options)

    def http(self, secret: str | None = None) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)


async def new_key(tenant: str = "acme", **fields: Any) -> str:
    """The secret of a new key."""
    secret = new_secret(new_id())
    database = open_store(Settings(), environment())
    try:
        key = ApiKey(**{"id": secret.id, "name": "test", "tenant": tenant, "created": datetime.now(UTC), **fields})
        await ApiKeys(database).create(key, secret)
    finally:
        await database.aclose()
    return secret.text


@asynccontextmanager
async def served_gateway(log: Path) -> AsyncIterator[GatewayProcess]:
    """A gateway on the session's servers, with a key of the tenant `acme`."""
    gateway = GatewayProcess(log)
    gateway.secret = await new_key()
    await gateway.child.start()
    try:
        yield gateway
    finally:
        await gateway.child.stop()
        gateway.socket.close()
