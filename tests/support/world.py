"""A Temporal server, a simulated provider, a shop and pools that a test may kill, since nobody else uses them."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.jobs import Priority
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, TemporalServer, pool_process
from continuo.testing.servers import servers
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

    async def pool(self, priority: Priority = "standard") -> Child:
        """As pools run by default: the sandbox, which other tests have, loads the workflows anew for each run.

        Temporal's debugging takes no workflow for stuck that a busy machine gives no processor for two seconds.
        """
        log = self.folder / f"pool-{os.urandom(2).hex()}.log"
        child = pool_process(priority, log, CONTINUO_SANDBOX="0", TEMPORAL_DEBUG="1")
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
    async with servers(folder, *config) as started, AsyncExitStack() as resources:
        yield World(folder, started.temporal, started.simulator, started.shop, await connect(), resources)
