"""Everything a run needs, for the tests of somebody's own project: servers, and a pool in this process."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings, environment
from continuo.jobs import Priority
from continuo.protection.breaker import State, forced
from continuo.stores.board import Board
from continuo.stores.opened import open_cache, open_store
from continuo.temporal.connect import connect
from continuo.testing.processes import Control
from continuo.testing.servers import servers
from continuo.workers.pool import pool

SLOTS = 20
"""Calls that each pool makes at once."""


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[Control]:
    """Servers with a pool for each priority in this process, keeping everything in `folder`; gives the simulator.

    Inside, the environment names them, aliases answer by simulated models alone, and nothing of the user's own stores
    and clusters is used.
    """
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, folder)
        async with servers(folder) as started, AsyncExitStack() as pools:
            client, settings = await connect(), Settings()
            await keep_breakers_closed(settings)
            for priority in get_args(Priority):
                await pools.enter_async_context(pool(client, settings, priority, SLOTS))
            yield started.simulator


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set the environment so that no run reaches a real model, cluster or store."""
    config = folder / "temporal.toml"
    config.touch()
    # A variable that is set, even to nothing, counts more than one of the user's .env file.
    for name in ("DATABASE_URL", "REDIS_URL"):
        patch.setenv(name, "")
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        patch.delenv(name)
    patch.setenv("TEMPORAL_CONFIG_FILE", str(config))
    patch.setenv("CONTINUO_SIMULATED", "1")


async def keep_breakers_closed(settings: Settings) -> None:
    """Force all breakers closed before a pool reads them: failures that one test scripts must not fail the next one."""
    database, now = open_store(settings, environment()), datetime.now(UTC)
    try:
        for provider in load_catalog(settings.catalog).providers:
            await Board(database).publish(forced(State(provider=provider), "closed", "tests make calls fail", now))
    finally:
        await database.aclose()


async def forget(simulator: Control) -> None:
    """Drop what an earlier test has scripted, called and had cached."""
    await simulator.delete("/_sim/models")
    await simulator.delete("/_sim/calls")
    cache = open_cache(Settings(), environment())
    try:
        await cache.clear(None)
    finally:
        await cache.aclose()
