"""A worker whose breakers' owner does not answer: a call never depends on it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from continuo.activities import breakers
from continuo.activities.breakers import RPC_TIMEOUT, Breakers
from continuo.config.catalog import BreakerPolicy
from continuo.config.settings import Settings
from continuo.errors import ProviderError
from continuo.protection.breaker import State, workflow_id
from continuo.stores.board import Board
from continuo.stores.opened import open_store
from continuo.testing.processes import TemporalServer, running

LEASE = 30.0


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    database = open_store(Settings(data=tmp_path), {})
    yield Board(database)
    await database.aclose()


@pytest.fixture
def provider() -> str:
    return f"ailing-{uuid4()}"


@pytest.fixture
def no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is there, and nobody works on the queue of the breakers."""
    monkeypatch.setattr(breakers, "QUEUE", "nobody's")
    monkeypatch.setattr(breakers, "RPC_TIMEOUT", timedelta(seconds=0.5))


async def signals(client: Client, provider: str) -> int:
    """How often the breaker was told something; it ends here."""
    handle = client.get_workflow_handle(workflow_id(provider))
    names = [event.WhichOneof("attributes") async for event in handle.fetch_history_events()]
    await handle.terminate()
    return names.count("workflow_execution_signaled_event_attributes")


@pytest.mark.usefixtures("no_pool")
async def test_a_probe_that_nobody_grants_is_refused_and_given_back(
    client: Client, board: Board, provider: str
) -> None:
    await board.publish(State(provider=provider, state="half_open", version=1))
    breakers = Breakers(board, client)
    async with breakers.watching():
        with pytest.raises(ProviderError, match="half-open") as raised:
            async with breakers.guard(provider, BreakerPolicy(), "holder", LEASE):
                pytest.fail("the call went")
    assert raised.value.kind == "breaker_open"
    assert await signals(client, provider) == 1


@pytest.mark.usefixtures("no_pool")
async def test_a_call_that_is_cancelled_while_it_asks_for_the_probe_is_cancelled_and_gives_it_back(
    client: Client, board: Board, provider: str
) -> None:
    await board.publish(State(provider=provider, state="half_open", version=1))
    breakers = Breakers(board, client)
    async with breakers.watching():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), breakers.guard(provider, BreakerPolicy(), "holder", LEASE):
                pytest.fail("the call went")
    assert await signals(client, provider) == 1


async def test_a_paid_answer_does_not_wait_until_the_breaker_has_been_told(
    environ: pytest.MonkeyPatch, tmp_path: Path, board: Board, provider: str
) -> None:
    server = TemporalServer(tmp_path / "temporal")
    async with running(server.child):
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        await board.publish(State(provider=provider, failures=1, version=1))
        breakers = Breakers(board, client)
        async with breakers.watching():
            # It hangs, as a server does whose disk is slow.
            os.kill(server.child.pid, signal.SIGSTOP)
            begun = time.monotonic()
            async with breakers.guard(provider, BreakerPolicy(), "holder", LEASE):
                pass
            assert time.monotonic() - begun < RPC_TIMEOUT.total_seconds() / 2
            os.kill(server.child.pid, signal.SIGCONT)
        # The worker's end loses nothing that was to be told.
        assert await signals(client, provider) == 1
