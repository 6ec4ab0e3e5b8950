"""Servers that stand for the world: Temporal, the simulated provider and the shop, each a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
        async with (
            running_temporal(folder / "temporal", *config) as temporal,
            served("continuo.simulator", log=folder / "simulator.log") as simulator,
            served("continuo.simulator.shop", log=folder / "shop.log") as shop,
        ):
            patch.setenv("TEMPORAL_ADDRESS", temporal.address)
            patch.setenv("CONTINUO_SIM_URL", simulator.url)
            patch.setenv("CONTINUO_SHOP_URL", shop.url)
            patch.setenv("CONTINUO_DATA", str(folder / "data"))
            yield Servers(temporal, simulator, shop)
