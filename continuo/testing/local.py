"""Everything a run needs, for the tests of somebody's own project: servers, and a pool in this process."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from continuo import client
from continuo.authoring.library import Library
from continuo.client import sync
from continuo.client.sync import blocking
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


class Simulator:
    """The simulated provider: `behave` scripts a model (see `continuo.simulator.behaviour.Behaviour`), `calls` gives
    what it was asked."""

    def __init__(self, portal: BlockingPortal, control: Control) -> None:
        self.behave = blocking(portal, control.behave)
        self.calls = blocking(portal, control.calls)


class Stack:
    """All that runs, on the loop of `portal`."""

    def __init__(self, portal: BlockingPortal, control: Control) -> None:
        self.simulator = Simulator(portal, control)
        self._portal = portal
        self._control = control

    def forget(self) -> None:
        """Drop what was scripted, called and cached until now."""
        self._portal.call(_forget, self._control)

    def connected(self) -> AbstractContextManager[client.Continuo]:
        return self._portal.wrap_async_context_manager(client.Continuo.connect())

    def sync(self, connected: client.Continuo) -> sync.Continuo:
        return sync.Continuo(self._portal, connected)


@contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """Servers, and pools in this process, that keep everything in `folder`."""
    with (
        start_blocking_portal(name="continuo-testing") as portal,
        portal.wrap_async_context_manager(_running(folder)) as control,
    ):
        yield Stack(portal, control)


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Control]:
    """Inside, the environment names the servers, aliases answer by simulated models alone, and nothing of the user's
    own stores and clusters is used. Gives the simulator."""
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, folder)
        async with servers(folder) as started, AsyncExitStack() as pools:
            cluster, settings = await connect(), Settings()
            await _keep_breakers_closed(settings)
            for priority in get_args(Priority):
                await pools.enter_async_context(pool(cluster, Library(settings), priority, SLOTS))
            yield started.simulator


def _isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
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


async def _keep_breakers_closed(settings: Settings) -> None:
    """Force all breakers closed before a pool reads them: failures that one test scripts must not fail the next one."""
    database, now = open_store(settings, environment()), datetime.now(UTC)
    try:
        for provider in load_catalog(settings.catalog).providers:
            await Board(database).publish(forced(State(provider=provider), "closed", "tests make calls fail", now))
    finally:
        await database.aclose()


async def _forget(simulator: Control) -> None:
    await simulator.delete("/_sim/models")
    await simulator.delete("/_sim/calls")
    cache = open_cache(Settings(), environment())
    try:
        await cache.clear(None)
    finally:
        await cache.aclose()
