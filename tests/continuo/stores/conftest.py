"""Every store that a contract holds for: files, and real servers."""

import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from continuo.config.settings import Settings
from continuo.protection.encryption import BYTES, VARIABLE
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.opened import open_cache, open_store, opened_payloads
from tests.support.redis_server import forgotten, redis
from tests.support.stores import cleared, emptied, postgres


@pytest.fixture(scope="session")
async def postgres_url(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[str]:
    async with postgres(folder / "postgres") as url:
        await emptied(url)
        yield url


ENCRYPTED = {VARIABLE: f"test:{b64encode(os.urandom(BYTES)).decode()}"}


@pytest.fixture(params=["sqlite", "postgres", "encrypted"])
async def store_environ(request: pytest.FixtureRequest, postgres_url: str) -> dict[str, str]:
    """The environment in which an empty store of each kind is opened."""
    match request.param:
        case "postgres":
            return {"DATABASE_URL": await cleared(postgres_url)}
        case "encrypted":
            return ENCRYPTED
    return {}


@pytest.fixture
async def database(store_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Database]:
    database = open_store(Settings(data=tmp_path), store_environ)
    yield database
    await database.aclose()


@pytest.fixture
async def large(store_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Database]:
    """Where large payloads are kept."""
    async with opened_payloads(Settings(data=tmp_path), store_environ) as database:
        yield database


@pytest.fixture(scope="session")
async def redis_url(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[str]:
    async with redis(folder / "redis") as url:
        yield url


@pytest.fixture(params=["sqlite", "redis", "encrypted"])
async def cache_environ(request: pytest.FixtureRequest, redis_url: str) -> dict[str, str]:
    """The environment in which an empty cache of each kind is opened."""
    match request.param:
        case "redis":
            return {"REDIS_URL": await forgotten(redis_url)}
        case "encrypted":
            return ENCRYPTED
    return {}


@pytest.fixture(params=["sqlite", "postgres", "redis"])
async def limits_environ(request: pytest.FixtureRequest, postgres_url: str, redis_url: str) -> dict[str, str]:
    """The environment in which an empty store of limits of each kind is opened."""
    match request.param:
        case "postgres":
            return {"DATABASE_URL": await cleared(postgres_url)}
        case "redis":
            return {"REDIS_URL": await forgotten(redis_url)}
    return {}


@pytest.fixture
def another(cache_environ: dict[str, str], tmp_path: Path) -> Callable[[], Cache]:
    """Opens the same cache, as another process does."""
    return partial(open_cache, Settings(data=tmp_path), cache_environ)


@pytest.fixture
async def caches(another: Callable[[], Cache]) -> AsyncIterator[tuple[Cache, Cache]]:
    """Two processes' views of one cache."""
    one, other = another(), another()
    yield one, other
    await one.aclose()
    await other.aclose()
