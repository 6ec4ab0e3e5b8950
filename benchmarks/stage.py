"""Where everything is measured: one embedded server, the simulated provider, the shop, a pool and the bare twin."""

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from benchmarks.bare import LIMIT, QUEUE, RETRY, Ask
from benchmarks.configuration import write_configuration
from benchmarks.measure import Run
from continuo.config.settings import Settings
from continuo.door.runs import start
from continuo.jobs import Job
from continuo.patterns import Step
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, TemporalServer, job, pool_process, python, running, served

PROMPT = "Where is my order?"


@dataclass(frozen=True)
class Stage:
    """`processes` are the ids of the processes that a run may use, by what they are."""

    client: Client
    simulator: Control
    metrics_port: int
    processes: Mapping[str, tuple[int, ...]]

    def continuo(self, step: Step, **data: Any) -> Run:
        """One run of a pattern, started as every starter starts it. No two ask the same, so that no cache answers."""
        asked = job(step, PROMPT, **data)

        async def run() -> object:
            return await self.outcome(asked.asking(f"{PROMPT} {uuid4()}"))

        return run

    async def outcome(self, job: Job) -> Any:
        return await (await start(self.client, job, id=f"continuo-{uuid4()}")).result()

    def bare(self, workflow: str, *arguments: object) -> Run:
        async def run() -> object:
            return await self.client.execute_workflow(
                workflow,
                args=list(arguments),
                id=f"bare-{uuid4()}",
                task_queue=QUEUE,
            )

        return run

    def standalone(self, ask: Ask) -> Run:
        """The same call as an activity without a workflow."""

        async def run() -> object:
            return await self.client.execute_activity(
                "ask",
                ask,
                result_type=str,
                id=f"bare-{uuid4()}",
                task_queue=QUEUE,
                start_to_close_timeout=LIMIT,
                retry_policy=RETRY,
            )

        return run


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="continuo-bench-")))
        temporal = TemporalServer(folder)
        await temporal.start()
        resources.push_async_callback(temporal.stop)
        os.environ["TEMPORAL_ADDRESS"], os.environ["CONTINUO_DATA"] = temporal.address, str(folder)
        catalog, tenants = write_configuration(folder)
        os.environ["CONTINUO_CATALOG"], os.environ["CONTINUO_TENANTS"] = str(catalog), str(tenants)
        simulator = await resources.enter_async_context(served("continuo.simulator", log=folder / "simulator.log"))
        shop = await resources.enter_async_context(served("continuo.simulator.shop", log=folder / "shop.log"))
        os.environ["CONTINUO_SIM_URL"], os.environ["CONTINUO_SHOP_URL"] = simulator.url, shop.url
        pool = await resources.enter_async_context(running(pool_process("standard", folder / "pool.log")))
        twin = python("benchmarks.bare", ready="bare worker ready", log=folder / "bare.log")
        await resources.enter_async_context(running(twin))
        await simulator.behave("sim-free", status=400)
        processes = {"temporal": (temporal.child.pid,), "worker": (pool.pid, twin.pid), "starter": (os.getpid(),)}
        yield Stage(await connect(), simulator, temporal.metrics_port, processes)


@asynccontextmanager
async def other_pools() -> AsyncIterator[None]:
    """Inside, there are all the pools of `continuo dev`."""
    logs = Settings().data
    async with (
        running(pool_process("critical", logs / "critical.log")),
        running(pool_process("batch", logs / "batch.log")),
    ):
        yield
