"""A run whose client has left ends, also where it cannot be known at once that nobody waits for it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.door import Door, Request, Run
from continuo.jobs import Context
from continuo.starters.gateway.cancelling import Waiting
from continuo.stores.migrations import STORE
from continuo.stores.requests import Received, Requests
from continuo.stores.sqlite import database as sqlite
from continuo.stores.waiters import LEASE, Waiter
from continuo.testing.processes import Control, until
from tests.continuo.stores.test_store_faults import locked

ASKED = Received("key", "/v1/chat/completions", "sha", retried=True)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.1)
    return tmp_path / "continuo.db"


@pytest.fixture
async def requests(path: Path) -> AsyncIterator[Requests]:
    database = sqlite.Sqlite(path, STORE)
    yield Requests(database)
    await database.aclose()


async def waiter(requests: Requests, now: float) -> Waiter:
    waiter = (await requests.known(ASKED, now, waits=True)).waiter
    assert waiter is not None
    return waiter


async def asked(client: Client, simulator: Control) -> Run:
    """A run whose model does not answer."""
    await simulator.behave("sim-mini", latency=60)
    request = Request(pattern="model:sim-mini", prompt="Where is my order?")
    run = await Door(client, Library()).submit(request, Context(tenant="acme"))
    await until(lambda: simulator.calls("sim-mini"))
    return run


async def test_a_run_is_ended_as_soon_as_the_store_is_back(
    client: Client, worker: None, simulator: Control, requests: Requests, path: Path
) -> None:
    waiting, one, run = Waiting(requests), await waiter(requests, time.time()), await asked(client, simulator)
    with locked(path):
        await waiting.leave(one, run)
    assert await run.state() == "running"
    await waiting.renew()
    await until(lambda: _ended(run))


async def test_a_run_is_ended_as_soon_as_nobody_can_wait_for_it_at_a_process_that_died(
    client: Client, worker: None, simulator: Control, requests: Requests
) -> None:
    waiting, one, run = Waiting(requests), await waiter(requests, time.time()), await asked(client, simulator)
    await waiter(requests, time.time() - LEASE + 0.5)
    await waiting.leave(one, run)
    await waiting.renew()
    assert await run.state() == "running"

    async def ended() -> bool:
        await waiting.renew()
        return await _ended(run)

    await until(ended, timeout=10)


async def test_after_the_store_was_away_the_others_first_say_who_waits(
    client: Client, worker: None, simulator: Control, requests: Requests, path: Path
) -> None:
    here, there = Waiting(requests), Waiting(requests)
    one, other = [await waiter(requests, time.time() - LEASE - 1) for _ in range(2)]
    here.add(one)
    there.add(other)
    with locked(path):
        await here.renew()
    here.discard(one)
    run = await asked(client, simulator)
    await here.leave(one, run)
    await here.renew()
    await there.renew()
    await here.renew()
    assert await run.state() == "running"
    await there.leave(other, run)
    await until(lambda: _ended(run))


async def _ended(run: Run) -> bool:
    return await run.state() == "ended"
