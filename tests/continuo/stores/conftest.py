"""Every store that a contract holds for: files, and real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from continuo.settings import Settings
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from tests.stores import emptied, postgres


@pytest.fixture(scope="session")
async def postgres_url(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[str]:
    async with postgres(folder / "postgres") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def store_environ(request: pytest.FixtureRequest, postgres_url: str) -> dict[str, str]:
    """The environment in which an empty store of each kind is opened."""
    return {"DATABASE_URL": await emptied(postgres_url)} if request.param == "postgres" else {}


@pytest.fixture
async def database(store_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Database]:
    database = open_store(Settings(data=tmp_path), store_environ)
    yield database
    await database.aclose()
