"""One real Temporal server, one simulated provider, one shop and one in-process pool serve the whole session."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import settings
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings, environment
from continuo.temporal.connect import connect
from continuo.testing.processes import Control, TemporalServer, running_temporal, served
from continuo.workers.pool import pool
from tests.support.config_files import written_catalog, written_rules, written_tenants
from tests.support.world import World, made

# How long an example takes says nothing on a busy machine. They are others each time: a run need not try a hundred.
settings.register_profile("unhurried", deadline=None, max_examples=25)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no process waits for another's last one: those that may take more time than others,
    then those of files with few tests, which start more than they share. Files of many short ones are the last."""
    tests = Counter(item.path for item in items)
    marks = {item: item.get_closest_marker("timeout") for item in items}
    items.sort(key=lambda item: (-mark.args[0] if (mark := marks[item]) else 0, tests[item.path]))


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """What a failed test has left open is shown when it is collected, and fails no test after it."""
    if call.excinfo is not None:
        item.config.addinivalue_line("filterwarnings", "default::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("continuo")


@pytest.fixture(scope="session")
def environ(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """The environment of the session and its processes: no real key, no cluster, nothing of the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        catalog = load_catalog(Settings().catalog)
        keys = [provider.key_env for provider in catalog.providers.values() if provider.key_env]
        ours = [name for name in os.environ if name.startswith(("CONTINUO_", "TEMPORAL_", "OTEL_"))]
        for name in [*keys, *ours, "DATABASE_URL", "REDIS_URL"]:
            # These say where tests may write.
            if not name.startswith("CONTINUO_TEST_"):
                patch.delenv(name, raising=False)
        patch.setenv("CONTINUO_DATA", str(folder / "data"))
        patch.setenv("CONTINUO_CATALOG", str(written_catalog(folder)))
        patch.setenv("CONTINUO_TENANTS", str(written_tenants(folder)))
        patch.setenv("CONTINUO_RULES", str(written_rules(folder)))
        patch.setenv("CONTINUO_SIMULATED", "1")
        patch.setenv("TOOLS_TEST_TOKEN", "the-token-of-the-tools")
        patch.setenv("CONTINUO_CODE", "tests.support.own_code")
        patch.setenv("CONTINUO_WEBHOOK_KEY", "a key of webhooks for these tests alone")
        patch.setenv("CONTINUO_WEBHOOK_PRIVATE", "1")
        patch.setenv("CONTINUO_WEBHOOK_PAUSE", "0.1")
        # Nobody is asked over TLS: each client would take up to 200 ms to read all the certificates there are.
        (certificates := folder / "certificates").mkdir()
        trustme.CA().cert_pem.write_to_path(str(folder / "authority.pem"))
        patch.setenv("SSL_CERT_DIR", str(certificates))
        patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        # Where root starts a PostgreSQL as another user, pytest in a child must not close the folder above meanwhile.
        patch.setenv("PYTEST_DEBUG_TEMPROOT", str(folder))
        yield patch


@pytest.fixture(scope="session")
async def temporal(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[TemporalServer]:
    async with running_temporal(folder / "temporal") as server:
        environ.setenv("TEMPORAL_ADDRESS", server.address)
        yield server


@pytest.fixture(scope="session")
async def simulator_process(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Control]:
    async with served("continuo.simulator", log=folder / "simulator.log") as control:
        environ.setenv("CONTINUO_SIM_URL", control.url)
        yield control


@pytest.fixture
async def simulator(simulator_process: Control) -> AsyncIterator[Control]:
    """The simulated provider, with no call of an earlier test; how its models behave ends with this one."""
    await simulator_process.delete("/_sim/calls")
    yield simulator_process
    await simulator_process.delete("/_sim/models")


@pytest.fixture(scope="session")
async def shop_process(environ: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Control]:
    async with served("continuo.simulator.shop", "--data", str(folder / "shop.db"), log=folder / "shop.log") as control:
        environ.setenv("CONTINUO_SHOP_URL", control.url)
        yield control


@pytest.fixture
async def shop(shop_process: Control) -> Control:
    await shop_process.delete("/_faults")
    return shop_process


@pytest.fixture(scope="session")
async def client(temporal: TemporalServer) -> Client:
    return await connect()


@pytest.fixture(scope="session")
async def worker(client: Client, simulator_process: Control, shop_process: Control) -> AsyncIterator[None]:
    """The standard and the critical pool, in this process."""
    assert environment()["CONTINUO_SIM_URL"] == simulator_process.url
    async with pool(client, Library(), "standard", 30), pool(client, Library(), "critical", 50):
        yield


@pytest.fixture
async def world(tmp_path: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with made(tmp_path) as world:
        yield world
