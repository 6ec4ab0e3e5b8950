import asyncio
import sqlite3
from datetime import date
from pathlib import Path

import psycopg
import pytest

from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.settings import Settings
from continuo.stores.budgets import Budgets
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.opened import open_store
from tests.stores import charge, ledger, record
from tests.support import until

CONTEXT = Context(pattern="support", tenant="acme")
TODAY = date(2026, 11, 21)


def outcome(text: str = "yes", cost: float | None = 0.000015) -> Outcome:
    usage = Usage(input_tokens=10, output_tokens=5)
    record = CallRecord(path="tier1", model="m", provider="p", attempts=1, status="ok", usage=usage, cost_usd=cost)
    return Outcome(text=text, served_by="model", usage=usage, cost_usd=cost, calls=(record,))


async def test_an_answer_is_found_again_exactly_as_it_was(database: Database) -> None:
    journal = Journal(database)
    assert await journal.find("run/1") is None
    await record(journal, "run/1", outcome(), CONTEXT, TODAY)
    assert await journal.find("run/1") == outcome()


async def test_recording_twice_keeps_the_first_answer_and_one_ledger_row(database: Database) -> None:
    journal = Journal(database)
    await record(journal, "run/1", outcome("first"), CONTEXT, TODAY)
    await record(journal, "run/1", outcome("second"), CONTEXT, TODAY)
    found = await journal.find("run/1")
    assert found is not None
    assert found.text == "first"
    assert len(await ledger(database)) == 1


async def test_costs_add_up_exactly_and_an_unknown_cost_is_not_zero(database: Database) -> None:
    journal = Journal(database)
    for number in range(1000):
        await record(journal, f"run/{number}", outcome(cost=0.0000001), CONTEXT, TODAY)
    await record(journal, "run/unknown", outcome(cost=None), CONTEXT, TODAY)
    assert (await Budgets(database).balance("acme", TODAY)).spent == 0.0001
    assert (await Budgets(database).balance("another", TODAY)).spent == 0
    assert [row["identity"] for row in await ledger(database) if row["cost_nanousd"] is None] == ["run/unknown"]


async def test_a_refused_call_that_was_paid_has_a_ledger_row_and_no_answer(database: Database) -> None:
    journal = Journal(database)
    await charge(journal, "run/1", 1, outcome().calls[0], CONTEXT, TODAY)
    assert await journal.find("run/1#1") is None
    assert [row["cost_nanousd"] for row in await ledger(database)] == [15_000]


async def test_many_writers_in_two_connections_lose_nothing(store_environ: dict[str, str], tmp_path: Path) -> None:
    databases = [open_store(Settings(data=tmp_path), store_environ) for _ in range(2)]
    await asyncio.gather(
        *(
            record(Journal(databases[number % 2]), f"run/{number}", outcome(str(number)), CONTEXT, TODAY)
            for number in range(200)
        )
    )
    journal = Journal(databases[0])
    assert [await journal.find(f"run/{number}") for number in range(200)] == [outcome(str(n)) for n in range(200)]
    for database in databases:
        await database.aclose()


async def test_a_writer_that_is_cancelled_leaves_its_answer_behind(database: Database) -> None:
    journal = Journal(database)
    writing = asyncio.create_task(record(journal, "run/1", outcome(), CONTEXT, TODAY))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await until(lambda: journal.find("run/1"))


async def test_a_failed_write_is_told_to_its_caller_and_the_next_one_works(database: Database) -> None:
    with pytest.raises((sqlite3.Error, psycopg.Error), match="nowhere"):
        await database.write(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
    await record(Journal(database), "run/1", outcome(), CONTEXT, TODAY)
    assert await Journal(database).find("run/1") == outcome()
