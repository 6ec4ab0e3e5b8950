"""Redis, shared by hosts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from continuo.stores.backend import Backend
from continuo.stores.cache import Cache
from continuo.stores.limits import LimitStore
from continuo.stores.streams import StreamLog, Watches, beside


class RedisBackend(Backend):
    schemes = frozenset({"redis", "rediss", "unix"})

    def cache(self, url: str) -> Cache:
        # The driver is loaded where it is used.
        from continuo.stores.redis.cache import RedisCache
        from continuo.stores.redis.client import connect

        return RedisCache(connect(url))

    @asynccontextmanager
    async def limits(self, url: str) -> AsyncIterator[LimitStore]:
        from continuo.stores.redis.client import connect
        from continuo.stores.redis.limits import RedisLimits

        async with connect(url) as client:
            yield RedisLimits(client)

    @asynccontextmanager
    async def streams(self, url: str, kept: float) -> AsyncIterator[StreamLog]:
        from continuo.stores.redis.client import connect
        from continuo.stores.redis.streams import RedisStreams, follow

        watches = Watches()
        async with connect(url) as client, beside(follow(client, watches)):
            yield RedisStreams(client, watches, kept)

    def errors(self) -> tuple[type[Exception], ...]:
        from redis.exceptions import RedisError

        return (RedisError,)
