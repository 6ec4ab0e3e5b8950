"""An answer that has reached a worker is recorded, whenever its call is cancelled then, as by a worker that stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from benchmarks.unprotected import NoAdmission, NoBreakers, NoPayloads, NoStreams, NoTurns
from continuo.activities.admission import Admitted
from continuo.activities.micro_batches import MicroBatches
from continuo.activities.models import ModelCalls
from continuo.activities.settling import Settling
from continuo.authoring.library import Library
from continuo.deltas import Delta
from continuo.messages import Usage
from continuo.operations.metrics import Meter
from continuo.patterns import Call
from continuo.providers.client import ModelClient
from continuo.stores.journal import Journal
from continuo.stores.migrations import STORE
from continuo.stores.sqlite.database import Sqlite
from continuo.stores.streams import Claim, Writer
from continuo.testing.processes import Control, job, until


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    database = Sqlite(tmp_path / "continuo.db", STORE)
    yield Journal(database)
    await database.aclose()


class Leaving(NoAdmission):
    """A store of limits that takes long, so that the call is cancelled meanwhile."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    async def leave(
        self, admitted: Admitted, usage: Usage | None, seconds: float | None = None, *, failed: bool = False
    ) -> None:
        self._cancel()
        await asyncio.Event().wait()


class Appending(NoStreams):
    """The same of a stream log, which takes long for the last pieces."""

    def __init__(self, journal: Journal, cancel: Callable[[], object]) -> None:
        self._journal = journal
        self._cancel = cancel

    async def claim(self, writer: Writer, now: float) -> Claim:
        return Claim(0, same=True)

    async def append(self, writer: Writer, after: int, pieces: Sequence[Delta], now: float) -> bool:
        await until(lambda: self._journal.find("run/7"), timeout=5)
        self._cancel()
        await asyncio.Event().wait()
        return True


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_it_is_recorded_before_anything_else_is_waited_for(
    simulator: Control, tmp_path: Path, journal: Journal, stream: bool
) -> None:
    await simulator.behave("sim-mini", text="Here.")
    environment, library = ActivityEnvironment(), Library()
    environment.info = replace(
        environment.info,
        is_local=True,
        activity_id="7",
        workflow_run_id="run",
        started_time=datetime.now(UTC),
        start_to_close_timeout=timedelta(minutes=1),
    )
    client = ModelClient(library.catalog, library.environ, library.settings.knowledge, library.masker)
    admission, breakers = NoAdmission() if stream else Leaving(environment.cancel), NoBreakers()
    calls = ModelCalls(
        library,
        client,
        journal,
        Settling(journal, tmp_path / "unrecorded"),
        admission,
        breakers,
        NoPayloads(),
        NoTurns(),
        Appending(journal, environment.cancel) if stream else NoStreams(),
        MicroBatches(client, admission, breakers),
        Meter(library),
    )
    asked: Any = job(Call(model="sim-mini", local=True))
    with pytest.raises(asyncio.CancelledError):
        await environment.run(calls.call, asked.model_copy(update={"stream": "run" if stream else None}))
    await client.aclose()
    kept = await journal.find("run/7")
    assert kept is not None
    assert kept.text == "Here."
