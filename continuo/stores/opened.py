"""Which store it is: PostgreSQL where `DATABASE_URL` is set, else files in the data folder."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from continuo.config.settings import Settings
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.limits import LimitStore, SqlLimits
from continuo.stores.migrations import LIMITS, PAYLOADS, STORE
from continuo.stores.sqlite.cache import open_file
from continuo.stores.sqlite.database import Sqlite

PARTS = {"store": STORE, "limits": LIMITS, "payloads": PAYLOADS}


def open_store(settings: Settings, environ: Mapping[str, str]) -> Database:
    """Journal, ledger, budgets and what is known of the breakers."""
    if url := environ.get("DATABASE_URL"):
        # The driver takes as long to load as all else that a process without it needs.
        from continuo.stores.postgres.database import Postgres

        return Postgres(url, PARTS)
    return Sqlite(settings.data / "continuo.db", STORE)


def open_cache(settings: Settings, environ: Mapping[str, str]) -> Cache:
    """In Redis where `REDIS_URL` is set, else in a file of the data folder."""
    if url := environ.get("REDIS_URL"):
        # Loaded here, as the other driver is.
        from continuo.stores.redis.cache import RedisCache
        from continuo.stores.redis.client import connect

        return RedisCache(connect(url))
    return open_file(settings.data / "cache.db")


@asynccontextmanager
async def opened_limits(settings: Settings, environ: Mapping[str, str], store: Database) -> AsyncIterator[LimitStore]:
    """What is used of the limits: in Redis, else in the store itself where that is shared by hosts, else in a file
    beside it.

    Its own file, since what is lost there with the machine's power is over anyway and need not wait for the disk.
    """
    if url := environ.get("REDIS_URL"):
        from continuo.stores.redis.client import connect
        from continuo.stores.redis.limits import RedisLimits

        async with connect(url) as client:
            yield RedisLimits(client)
        return
    if environ.get("DATABASE_URL"):
        yield SqlLimits(store)
        return
    database = Sqlite(settings.data / "limits.db", LIMITS, durable=False)
    try:
        yield SqlLimits(database)
    finally:
        await database.aclose()


@asynccontextmanager
async def opened_payloads(
    settings: Settings, environ: Mapping[str, str], store: Database | None = None
) -> AsyncIterator[Database]:
    """Large prompts and answers: in the store where hosts share that (`store`, if it is open), else in a file."""
    shared = bool(environ.get("DATABASE_URL"))
    if shared and store is not None:
        yield store
        return
    database = open_store(settings, environ) if shared else Sqlite(settings.data / "payloads.db", PAYLOADS)
    try:
        yield database
    finally:
        await database.aclose()
