"""One gateway for all tests of a session."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway import GatewayProcess, served_gateway


@pytest.fixture(scope="session")
async def gateway(folder: Path, worker: None) -> AsyncIterator[GatewayProcess]:
    async with served_gateway(folder / "gateway.log") as gateway:
        yield gateway
