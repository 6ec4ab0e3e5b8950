"""What a run tells of its cost and what the ledger holds are the same, however its calls end."""

import asyncio
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.door.runs import Handle, result
from continuo.jobs import Account, Failure, Outcome, total_cost
from continuo.patterns import Cached, Call, Deadline, Ensemble, Retry, Step, Template
from continuo.patterns.choices import Majority, Semantic
from continuo.stores.database import Row
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, job, until, until_cancelled
from tests.support.stores import ledger

pytestmark = pytest.mark.usefixtures("worker")
SLOW = Call(model="sim-mid", timeout=0.4, max_tokens=100, retry=Retry(attempts=2, initial=0.05))


async def rows_of(handle: Handle) -> list[Row]:
    database = open_store(Settings(), environment())
    try:
        found = await ledger(database)
    finally:
        await database.aclose()
    return [row for row in found if row["identity"].startswith(f"{handle.first_execution_run_id}/")]


async def ended(client: Client, step: Step) -> tuple[Handle, Outcome | Failure]:
    handle = await begin(client, job(step))
    return handle, await result(handle)


def agree(account: Account, rows: list[Row]) -> None:
    """To the nano-dollar."""
    told = total_cost(account.calls)
    assert told is not None
    assert round(told * 1e9) == sum(row["cost_nanousd"] for row in rows)


async def test_a_call_that_is_never_answered_is_booked_once_an_attempt_and_marked(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle, found = await ended(client, SLOW)
    assert isinstance(found, Failure)
    assert found.type == "timeout"
    rows = await rows_of(handle)
    assert [(row["status"], row["estimated"], row["simulated"]) for row in rows] == [("failed", 1, 1)] * 2
    assert all(row["cost_nanousd"] > 0 for row in rows)
    assert found.calls[0].usage.estimated
    agree(found, rows)


async def test_an_answer_to_a_retry_corrects_what_was_estimated(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(SLOW.model_copy(update={"retry": Retry(attempts=3, initial=0.5)})))
    await until(lambda: rows_of(handle))
    await simulator.behave("sim-mid", tokens={"input": 10, "output": 5})
    found = await result(handle)
    assert isinstance(found, Outcome)
    [row] = await rows_of(handle)
    assert (row["estimated"], row["status"], row["input_tokens"]) == (0, "ok", 10)
    agree(found, [row])


async def test_a_cancelled_call_is_booked_and_its_run_tells_the_cost(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(Call(model="sim-mid", max_tokens=100)))
    await until(simulator.calls)
    await handle.cancel()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.type == "Cancelled"
    rows = await rows_of(handle)
    assert [(row["status"], row["estimated"]) for row in rows] == [("cancelled", 1)]
    agree(found, rows)


async def test_what_a_deadline_cut_off_is_in_the_cost_of_the_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    step = Deadline(Call(model="sim-mid", max_tokens=100), limit=1, otherwise=Template(text="later"))
    handle, found = await ended(client, step)
    assert isinstance(found, Outcome)
    assert found.text == "later"
    rows = await rows_of(handle)
    assert len(rows) == 1
    agree(found, rows)


async def test_the_losers_of_an_early_exit_are_in_the_cost_of_the_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", text="yes", tokens={"input": 10, "output": 1})
    await simulator.behave("sim-premium", latency=60)
    quick, slow = Call(model="sim-mid"), Call(model="sim-premium", max_tokens=100)
    step = Ensemble(members=(quick, quick, slow), combine=Majority(quorum=2), inline=True)
    handle, found = await ended(client, step)
    assert isinstance(found, Outcome)
    assert found.text == "yes"
    rows = await rows_of(handle)
    assert sorted(row["status"] for row in rows) == ["cancelled", "ok", "ok"]
    agree(found, rows)


async def test_a_refused_call_and_its_answer_add_up(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", fault="refusal", tokens={"input": 10, "output": 0})
    handle, found = await ended(client, Call(model="sim-premium"))
    assert isinstance(found, Failure)
    rows = await rows_of(handle)
    assert [row["simulated"] for row in rows] == [1]
    agree(found, rows)


async def test_a_model_that_the_workers_lack_is_one_final_failure(client: Client, simulator: Control) -> None:
    asked = job(Call(model="sim-mid"))
    handle = await begin(client, asked.model_copy(update={"step": Call(model="nowhere")}))
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.type == "not_found"
    assert "this worker's catalog has no model 'nowhere'" in found.message
    assert await simulator.calls() == []


async def test_an_answer_that_cannot_be_recorded_is_given_all_the_same_and_booked_later_once(
    client: Client, simulator: Control
) -> None:
    """The store is locked by another process for longer than it is waited for."""
    await simulator.behave("sim-mid", latency=1, tokens={"input": 10, "output": 5})
    unrecorded = Settings().data / "unrecorded"
    handle = await begin(client, job(Call(model="sim-mid")))
    await until(simulator.calls)
    lock = sqlite3.connect(Settings().data / "continuo.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        found = await result(handle)
        assert isinstance(found, Outcome)
        assert list(await asyncio.to_thread(_files, unrecorded))
    finally:
        lock.execute("ROLLBACK")
        lock.close()

    async def booked() -> bool:
        return len(await rows_of(handle)) == 1 and not await asyncio.to_thread(_files, unrecorded)

    await until(booked)
    agree(found, await rows_of(handle))
    assert len(await simulator.calls()) == 1


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*"))


async def test_a_cancelled_embedding_is_booked_and_told(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-embed", latency=60)
    step = Cached(Call(model="sim-mid"), semantic=Semantic(model="embed", threshold=0.9))
    handle = await begin(client, job(step, f"What is new? {uuid4()}"))
    await until(lambda: simulator.calls("sim-embed"))
    await until_cancelled(handle)
    found, rows = await result(handle), await rows_of(handle)
    assert isinstance(found, Failure)
    assert [(row["path"], row["status"], row["estimated"]) for row in rows] == [("embedding", "cancelled", 1)]
    agree(found, rows)
