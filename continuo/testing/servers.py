"""Servers that stand for the world: Temporal, the simulated provider and the shop, each a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from continuo.testing.processes import Control, TemporalServer, running_temporal, served


@dataclass(frozen=True)
class Servers:
    temporal: TemporalServer
    simulator: Control
    shop: Control


@asynccontextmanager
async def servers(folder: Path, *config: str) -> AsyncIterator[Servers]:
    """Servers that keep their files in `folder`; inside, the environment names them. `config` is `TemporalServer`'s."""
    with pytest.MonkeyPatch.context() as patch:
        async with AsyncExitStack() as stack:
            async with asyncio.TaskGroup() as starting:
                temporal = starting.create_task(
                    stack.enter_async_context(running_temporal(folder / "temporal", *config))
                )
                simulator, shop = (
                    starting.create_task(stack.enter_async_context(served(module, log=folder / f"{module}.log")))
                    for module in ("continuo.simulator", "continuo.simulator.shop")
                )
            started = Servers(temporal.result(), simulator.result(), shop.result())
            patch.setenv("TEMPORAL_ADDRESS", started.temporal.address)
            patch.setenv("CONTINUO_SIM_URL", started.simulator.url)
            patch.setenv("CONTINUO_SHOP_URL", started.shop.url)
            patch.setenv("CONTINUO_DATA", str(folder / "data"))
            yield started
