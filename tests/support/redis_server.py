"""The Redis that tests run on: a real server, that can be killed and started again, empty."""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from continuo.testing.processes import running
from continuo.workers.local.processes import Child

REDIS_URL = "CONTINUO_TEST_REDIS_URL"
"""The environment may point the tests at a server of one's own; all keys in its database that begin with `continuo:`
are dropped."""


class RedisServer(Child):
    """A server on a free port, that keeps nothing on the disk; not yet started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        binary = str(Path(sys.executable).parent / "redis-server")
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("redis", (binary, *options), folder / "redis.log", "Ready to accept connections", os.environ)


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[str]:
    """The URL of a Redis server, one of its own in `folder` unless the environment names another."""
    if url := os.environ.get(REDIS_URL):
        yield url
        return
    async with running(server := RedisServer(folder)):
        yield server.url


async def forgotten(url: str) -> str:
    """The URL, after all that is ours there was dropped."""
    async with Redis.from_url(url) as client:
        async for key in client.scan_iter("continuo:*", count=1000):
            await client.delete(key)
    return url
