"""What was paid is recorded, whatever becomes of the call that waits for it."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from continuo.activities import settling
from continuo.activities.settling import Settling
from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from continuo.stores.migrations import STORE
from continuo.stores.sqlite.database import Sqlite
from tests.continuo.stores.test_store_faults import locked

RECORD = CallRecord(path="", model="m", provider="p", status="ok", usage=Usage(input_tokens=9), cost_usd=0.5)
PAID = Paid(record=RECORD, context=Context(pattern="test"))
ANSWERED = Settlement(
    identity="run/1",
    attempt=1,
    today=date(2026, 11, 25),
    paid=PAID,
    outcome=Outcome(text="yes", served_by="model", calls=(RECORD,)),
)


async def test_an_answer_is_found_though_another_process_books_its_file_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Sqlite(tmp_path / "continuo.db", STORE)
    folder = tmp_path / "unrecorded"
    file, read = folder / f"{settling._name('run/1')}-1.json", Path.read_bytes

    class Booking(Journal):
        async def find(self, identity: str, question: str | None = None) -> Outcome | None:
            known = await super().find(identity, question)
            await booked()
            return known

    async def booked() -> None:
        await Journal(database).settle(ANSWERED)
        file.unlink(missing_ok=True)

    settling._keep(file, ANSWERED.model_dump_json().encode())
    assert await Settling(Booking(database), folder).find("run/1") == ANSWERED.outcome

    def taken(path: Path) -> bytes:
        path.unlink()
        return read(path)

    await Journal(database).settle(ANSWERED)
    settling._keep(file, ANSWERED.model_dump_json().encode())
    monkeypatch.setattr(Path, "read_bytes", taken)
    assert await Settling(Journal(database), folder).find("run/1") == ANSWERED.outcome
    await database.aclose()


@pytest.mark.parametrize(("patience", "raises"), [(5.0, False), (0.0, True)])
async def test_a_cancellation_waits_while_an_answer_is_recorded_but_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float, raises: bool
) -> None:
    monkeypatch.setattr(settling, "CANCELLED", patience)
    path = tmp_path / "continuo.db"
    database = Sqlite(path, STORE)
    journal = Journal(database)
    books = Settling(journal, tmp_path / "unrecorded")
    async with books.running():
        with locked(path):
            caller = asyncio.create_task(books.settle(ANSWERED, 60))
            await asyncio.sleep(0)
            caller.cancel()
            await asyncio.wait({caller}, timeout=0.2)
            assert caller.done() == raises
        [ended] = await asyncio.gather(caller, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError) == raises
    assert await journal.find("run/1") == ANSWERED.outcome
    await database.aclose()
