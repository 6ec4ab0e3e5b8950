"""Callers of a shared call that come and go in the same moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.unprotected import NoAdmission, NoBreakers
from continuo.activities.admission import Admitted
from continuo.activities.micro_batches import MicroBatches
from continuo.authoring.library import Library
from continuo.config.catalog import MicroBatch
from continuo.jobs import CallRecord
from continuo.messages import Message, ModelRequest
from continuo.protection.rate_limits import Wait
from continuo.providers.client import ModelClient
from continuo.providers.embeddings import Embedding
from continuo.providers.exchange import Exchange
from continuo.testing.processes import Control, until


class NoLimits(NoAdmission):
    """Lets every call go."""

    async def enter(self, admitted: Admitted, turn: str, *, queue: bool) -> Wait | None:
        return None


@pytest.fixture
async def batches(simulator: Control, tmp_path: Path) -> AsyncIterator[MicroBatches]:
    library = Library()
    client = ModelClient(library.catalog, library.environ, tmp_path, library.masker)
    batches = MicroBatches(client, NoLimits(), NoBreakers())
    yield batches
    await batches.aclose()
    await client.aclose()


CATALOG = Library().catalog


def admitted(text: str) -> Admitted:
    model = CATALOG.models["sim-embed"].model_copy(update={"micro_batch": MicroBatch(window=0.05)})
    request = ModelRequest(messages=(Message(role="user", content=text),), embed=True)
    unanswered = CallRecord(path="", model=model.id, status="lost")
    return Admitted(CATALOG, text, 1, model, request, time.time(), 60, 1, unanswered, gathered=True)


async def late(embedding: Embedding) -> None:
    raise AssertionError("nobody has left a call that was made")


async def test_who_comes_as_the_last_one_leaves_is_answered(batches: MicroBatches, simulator: Control) -> None:
    def ask(text: str) -> "asyncio.Task[Embedding]":
        exchange = Exchange()
        return asyncio.create_task(batches.embed(admitted(text), timeout=5, exchange=exchange, late=late))

    leaving = ask("a")
    await asyncio.sleep(0)
    leaving.cancel()
    coming = ask("b")
    assert (await asyncio.wait_for(coming, 5)).count == 1
    assert leaving.cancelled()
    [call] = await simulator.calls("sim-embed")
    assert call["body"]["input"] == ["b"]


async def test_nobody_waits_for_a_worker_that_ends(batches: MicroBatches, simulator: Control) -> None:
    await simulator.behave("sim-embed", latency=60)
    asking = asyncio.create_task(batches.embed(admitted("a"), timeout=60, exchange=Exchange(), late=late))
    await until(lambda: simulator.calls("sim-embed"))
    await batches.aclose()
    await asyncio.wait({asking}, timeout=5)
    assert asking.cancelled()
