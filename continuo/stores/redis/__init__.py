"""Redis, shared by hosts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from continuo.stores.backend import Backend
from continuo.stores.cache import Cache
from continuo.stores.limits import LimitStore


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

    def errors(self) -> tuple[type[Exception], ...]:
        from redis.exceptions import RedisError

        return (RedisError,)
