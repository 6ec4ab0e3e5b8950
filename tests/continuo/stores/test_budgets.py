"""The contract of budgets, on every SQL store."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path

import pytest

from continuo.jobs import CallRecord, Context, KeyTerms, Outcome
from continuo.messages import Usage
from continuo.stores.budgets import Balance, Budgets, Reservation
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from tests.support.stores import charge, ledger, record, release

CONTEXT = Context(pattern="support", tenant="acme")
DAY, NEXT = date(2026, 11, 21), date(2026, 11, 22)
KEY = KeyTerms(id="abcdefghijkl", monthly_usd=1.0)


def outcome(usd: float | None) -> Outcome:
    record = CallRecord(path="", model="m", provider="p", status="ok", usage=Usage(input_tokens=1), cost_usd=usd)
    return Outcome(text="yes", served_by="model", cost_usd=usd, calls=(record,))


async def reserve(
    budgets: Budgets,
    identity: str,
    usd: float,
    *,
    attempt: int = 1,
    day: date = DAY,
    now: float = 0,
    key: KeyTerms | None = None,
    limit: float | None = 1.0,
) -> Balance | None:
    wanted = Reservation(identity=identity, attempt=attempt, tenant="acme", day=day, usd=usd, expires=now + 10, key=key)
    return await budgets.reserve(wanted, limit=limit, now=now)


async def test_what_is_reserved_is_not_given_twice(database: Database) -> None:
    budgets = Budgets(database)
    assert await reserve(budgets, "a", 0.6) is None
    assert await reserve(budgets, "b", 0.6) == Balance(spent=0, reserved=0.6)
    assert await reserve(budgets, "b", 0.4) is None
    assert await budgets.balance("acme", DAY) == Balance(spent=0, reserved=1.0)
    assert await budgets.balance("another", DAY) == Balance()


async def test_an_answer_settles_its_reservation_and_a_failure_releases_it(database: Database) -> None:
    budgets, journal = Budgets(database), Journal(database)
    await reserve(budgets, "a", 0.6)
    await record(journal, "a", outcome(0.1), CONTEXT, DAY)
    await reserve(budgets, "b", 0.6)
    await release(Journal(database), "b", 1)
    await reserve(budgets, "c", 0.6)
    await charge(journal, "c", 1, outcome(0.2).calls[0], CONTEXT, DAY)
    assert await budgets.balance("acme", DAY) == Balance(spent=0.3, reserved=0)


async def test_another_attempt_reserves_in_place_of_the_one_before_which_cannot_release_it(database: Database) -> None:
    """That one was taken for dead, and comes back."""
    budgets = Budgets(database)
    assert await reserve(budgets, "a", 0.9) is None
    assert await reserve(budgets, "a", 0.8, attempt=2) is None
    await release(Journal(database), "a", 1)
    assert await budgets.balance("acme", DAY) == Balance(spent=0, reserved=0.8)


async def test_what_a_dead_attempt_reserved_expires(database: Database) -> None:
    budgets = Budgets(database)
    await reserve(budgets, "dead", 1.0, now=0)
    assert await reserve(budgets, "b", 1.0, now=9.9) is not None
    assert await reserve(budgets, "b", 1.0, now=10) is None
    assert [row["identity"] for row in await database.read("SELECT identity FROM reservations")] == ["b"]


async def test_a_late_answer_costs_what_it_costs(database: Database) -> None:
    """Its reservation has expired, and another's taken its place: the ledger tells the truth all the same."""
    budgets = Budgets(database)
    await reserve(budgets, "late", 1.0, now=0)
    await reserve(budgets, "b", 1.0, now=10)
    await record(Journal(database), "late", outcome(0.5), CONTEXT, DAY)
    assert await budgets.balance("acme", DAY) == Balance(spent=0.5, reserved=1.0)


async def test_each_day_has_its_own_money_and_a_call_belongs_to_the_day_it_was_reserved_on(database: Database) -> None:
    budgets = Budgets(database)
    await reserve(budgets, "a", 1.0, day=DAY)
    assert await reserve(budgets, "b", 1.0, day=NEXT) is None
    await record(Journal(database), "a", outcome(0.9), CONTEXT, NEXT)
    assert await budgets.balance("acme", DAY) == Balance(spent=0.9, reserved=0)
    assert await budgets.balance("acme", NEXT) == Balance(spent=0, reserved=1.0)
    assert [row["day"] for row in await ledger(database)] == [DAY.isoformat()]


async def test_an_answer_recorded_twice_is_spent_once(database: Database) -> None:
    journal = Journal(database)
    for _ in range(2):
        await record(journal, "a", outcome(0.1), CONTEXT, DAY)
    assert (await Budgets(database).balance("acme", DAY)).spent == pytest.approx(0.1)


async def test_a_key_has_a_budget_of_its_own_for_a_day_beside_that_of_its_tenant(database: Database) -> None:
    budgets, narrow = Budgets(database), KEY.model_copy(update={"daily_usd": 0.5})
    assert await reserve(budgets, "a", 0.4, key=narrow) is None
    assert await reserve(budgets, "b", 0.2, key=narrow) == Balance(of="key's day", spent=0, reserved=0.4)
    assert await reserve(budgets, "c", 0.5) is None
    assert await reserve(budgets, "d", 0.2, key=KEY.model_copy(update={"id": "another"})) == Balance(reserved=0.9)


async def test_a_key_has_a_budget_for_a_month_which_its_days_share(database: Database) -> None:
    budgets, journal = Budgets(database), Journal(database)
    context = CONTEXT.model_copy(update={"key": KEY})
    await reserve(budgets, "a", 0.9, key=KEY)
    await record(journal, "a", outcome(0.7), context, DAY)
    assert await reserve(budgets, "b", 0.2, day=NEXT, key=KEY) is None
    assert await reserve(budgets, "c", 0.2, day=NEXT, key=KEY) == Balance(of="key's month", spent=0.7, reserved=0.2)
    assert await reserve(budgets, "c", 0.2, day=date(2026, 12, 1), key=KEY) is None
    assert [row["api_key"] for row in await ledger(database)] == [KEY.id]


async def test_better_knowledge_gives_a_key_back_what_was_only_estimated(database: Database) -> None:
    """The first attempt dies without a word and is booked at what it reserved; the second has the answer."""
    budgets, journal, context = Budgets(database), Journal(database), CONTEXT.model_copy(update={"key": KEY})
    lost = outcome(0.9).calls[0].model_copy(update={"status": "lost", "usage": Usage(input_tokens=1, estimated=True)})
    dead = Reservation(
        identity="a",
        attempt=1,
        tenant="acme",
        day=DAY,
        usd=0.9,
        expires=10,
        paid=Paid(record=lost, context=context),
        key=KEY,
    )
    assert await budgets.reserve(dead, limit=None, now=0) is None
    over = await reserve(budgets, "b", 0.2, now=10, key=KEY, limit=None)
    assert over == Balance(of="key's month", spent=0.9, reserved=0)
    answer = outcome(0.1)
    paid = Paid(record=answer.calls[0], context=context)
    await journal.settle(Settlement(identity="a", attempt=2, today=DAY, paid=paid, outcome=answer))
    over = await reserve(budgets, "b", 1.0, now=10, key=KEY, limit=None)
    assert over == Balance(of="key's month", spent=0.1, reserved=0)
    assert await reserve(budgets, "b", 0.9, now=10, key=KEY, limit=None) is None


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("store_environ", "budget"), [("sqlite", "tenant"), ("postgres", "key")], indirect=["store_environ"]
)
async def test_50_writers_in_4_processes_never_spend_a_cent_over_and_leave_nothing_reserved(
    database: Database, store_environ: dict[str, str], tmp_path: Path, budget: str
) -> None:
    environment = {**os.environ, **store_environ, "CONTINUO_DATA": str(tmp_path)}
    environment.pop("DATABASE_URL" if not store_environ else "", None)
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.continuo.stores.spenders", str(number), str(count), budget),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        for number, count in enumerate((13, 13, 12, 12))
    ]
    told = [await process.communicate() for process in writers]
    assert [process.returncode for process in writers] == [0] * 4
    paid = sum(int(out) for out, _ in told)
    rows = await ledger(database)
    spent = sum(row["cost_nanousd"] for row in rows)
    assert len(rows) == paid
    assert 900_000_000 < spent <= 1_000_000_000
    balance = await Budgets(database).balance("acme", DAY)
    assert balance == Balance(spent=spent / 1e9, reserved=0)
    assert await database.read("SELECT * FROM reservations") == []


async def test_the_next_attempt_is_one_after_all_that_have_reserved_or_cost_anything(database: Database) -> None:
    budgets, journal = Budgets(database), Journal(database)
    assert await journal.next_attempt("a", 20) == 1
    await reserve(budgets, "a", 0.1)
    assert await journal.next_attempt("a", 20) == 2
    await charge(journal, "a", 12, outcome(0.2).calls[0], CONTEXT, DAY)
    assert await journal.next_attempt("a", 20) == 13
    assert await journal.next_attempt("b", 20) == 1
