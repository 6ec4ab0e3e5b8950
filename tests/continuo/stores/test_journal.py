import asyncio
import sqlite3
from datetime import date
from pathlib import Path

import psycopg
import pytest

from continuo.config.settings import Settings
from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement, in_all
from continuo.stores.opened import open_store
from continuo.testing.processes import until
from tests.support.stores import charge, ledger, record, release

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


async def test_an_answer_of_a_lost_namespace_is_taken_by_one_call_that_asks_the_same(database: Database) -> None:
    lost, here, third = (Journal(database, namespace=name) for name in ("lost", "here", "third"))
    for number in (1, 2):
        await record(lost, f"run/{number}", outcome(f"{number}"), CONTEXT, TODAY, "asked")
    await record(lost, "run/3", outcome("3"), CONTEXT, TODAY)
    # Whoever has lost nothing asks anew, as does what asks something else.
    assert await lost.find("again/1", "asked") is None
    assert await here.find("other/1", "asked otherwise") is None
    assert await here.find("other/1") is None
    first, second, *none = await asyncio.gather(*(here.find(f"again/{number}", "asked") for number in range(4)))
    taken = [found.text for found in (first, second, *none) if found]
    assert sorted(taken) == ["1", "2"]
    # It is found again by who took it, by who paid it, and by what goes on in a third place.
    texts = {found.text for number in range(4) if (found := await here.find(f"again/{number}", "asked"))}
    assert texts == {"1", "2"}
    assert await lost.find("run/1", "asked") == outcome("1")
    assert await third.find("later/1", "asked") is not None
    assert len(await ledger(database)) == 3


async def test_costs_add_up_exactly_and_an_unknown_cost_is_not_zero(database: Database) -> None:
    journal = Journal(database)
    for number in range(100):
        await record(journal, f"run/{number}", outcome(cost=0.0000001), CONTEXT, TODAY)
    await record(journal, "run/unknown", outcome(cost=None), CONTEXT, TODAY)
    assert (await Budgets(database).balance("acme", TODAY)).spent == 0.00001
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
            for number in range(60)
        )
    )
    journal = Journal(databases[0])
    assert [await journal.find(f"run/{number}") for number in range(60)] == [outcome(str(n)) for n in range(60)]
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


async def test_a_provider_that_bills_every_request_keeps_its_estimates(database: Database) -> None:
    journal = Journal(database)
    unanswered = (
        outcome()
        .calls[0]
        .model_copy(
            update={
                "status": "failed",
                "usage": Usage(input_tokens=9, output_tokens=9, estimated=True),
                "cost_usd": 0.5,
            }
        )
    )
    await charge(journal, "run/1", 1, unanswered, CONTEXT, TODAY)
    await charge(journal, "run/2", 1, unanswered, CONTEXT, TODAY)
    for identity, replaces in (("run/1", True), ("run/2", False)):
        paid = Paid(record=outcome().calls[0], context=CONTEXT)
        end = Settlement(
            identity=identity, attempt=2, today=TODAY, paid=paid, outcome=outcome(), replaces_estimates=replaces
        )
        await journal.settle(end)
        await journal.settle(end)
    assert {row["identity"] for row in await ledger(database)} == {"run/1", "run/2", "run/2#1"}
    assert (await Budgets(database).balance("acme", TODAY)).spent == 0.50003


async def test_an_answer_replaces_the_estimates_of_its_own_provider_alone(database: Database) -> None:
    journal, answered = Journal(database), outcome()
    unknown = {"status": "failed", "usage": Usage(input_tokens=9, estimated=True), "cost_usd": 0.5}
    for attempt, provider in ((1, "p"), (2, "p/eu"), (3, "p")):
        lost = answered.calls[0].model_copy(update={**unknown, "provider": provider})
        await charge(journal, "run/1", attempt, lost, CONTEXT, TODAY)
    earlier = await journal.attempts("run/1", 3)
    paid = Paid(record=answered.calls[0], context=CONTEXT)
    await journal.settle(Settlement(identity="run/1", attempt=4, today=TODAY, paid=paid, outcome=answered))
    assert {row["identity"] for row in await ledger(database)} == {"run/1", "run/1#2"}
    assert (await Budgets(database).balance("acme", TODAY)).spent == 0.500015
    assert in_all(answered.calls[0], earlier, answered=True).cost_usd == 0.500015


async def test_an_attempt_that_died_is_booked_at_what_it_may_have_cost(database: Database) -> None:
    budgets, journal = Budgets(database), Journal(database)
    lost = (
        outcome()
        .calls[0]
        .model_copy(update={"status": "lost", "usage": Usage(input_tokens=9, estimated=True), "cost_usd": 0.5})
    )

    async def reserve(attempt: int, now: float) -> None:
        paid = Paid(record=lost, context=CONTEXT)
        wanted = Reservation(
            identity="run/1", attempt=attempt, tenant="acme", day=TODAY, usd=0.5, expires=now + 10, paid=paid
        )
        assert await budgets.reserve(wanted, limit=None, now=now) is None

    await reserve(1, 0)
    await reserve(2, 1)
    assert [row["identity"] for row in await ledger(database)] == ["run/1#1"]
    await journal.close("run/1")
    rows = await journal.attempts("run/1", 3)
    assert [row["identity"] for row in rows] == ["run/1#1", "run/1#2"]
    # The call was answered, and nobody heard of it: it is to be told too.
    await record(journal, "run/2", outcome(), CONTEXT, TODAY)
    assert [row["identity"] for row in await journal.attempts("run/2", 3)] == ["run/2"]
    # A late word of an attempt that was taken for dead is better than the estimate.
    await release(journal, "run/1", 2)
    assert [row["identity"] for row in await ledger(database)] == ["run/1#1", "run/2"]
    assert (await budgets.balance("acme", TODAY)).spent == 0.500015
