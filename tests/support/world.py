"""A Temporal server, a simulated provider, a shop and pools that a test may kill, since nobody else uses them."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, TemporalServer, pool_process, served
from continuo.workers.local.processes import Child


@dataclass
class World:
    """Everything a run needs, each part of it a process that can be killed."""

    folder: Path
    temporal: TemporalServer
    simulator: Control
    shop: Control
    client: Client
    resources: AsyncExitStack

    async def pool(self) -> Child:
        child = pool_process("standard", self.folder / f"pool-{os.urandom(2).hex()}.log")
        self.resources.push_async_callback(child.stop)
        await child.start()
        return child

    def journal(self) -> Database:
        return open_store(Settings(), environment())


@asynccontextmanager
async def made(folder: Path, *config: str) -> AsyncIterator[World]:
    """A world of its own in `folder`; every process started meanwhile finds it in its environment.

    `config` is that of its `TemporalServer`.
    """
    with pytest.MonkeyPatch.context() as patch:
        async with AsyncExitStack() as resources:
            temporal = TemporalServer(folder / "temporal", *config)
            await temporal.start()
            resources.push_async_callback(temporal.stop)
            simulator = await resources.enter_async_context(served("continuo.simulator", log=folder / "simulator.log"))
            shop = await resources.enter_async_context(served("continuo.simulator.shop", log=folder / "shop.log"))
            patch.setenv("TEMPORAL_ADDRESS", temporal.address)
            patch.setenv("CONTINUO_SIM_URL", simulator.url)
            patch.setenv("CONTINUO_SHOP_URL", shop.url)
            patch.setenv("CONTINUO_DATA", str(folder / "data"))
            yield World(folder, temporal, simulator, shop, await connect(), resources)
