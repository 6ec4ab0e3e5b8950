"""Old rows of the journal and of the ledger go, and no others."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuo.stores import pruning
from continuo.stores.budgets import Budgets
from continuo.stores.database import Connection, Database
from continuo.stores.journal import Journal
from continuo.stores.pruning import JOURNAL, LEDGER, PORTION, RUNS, Aged, prune
from continuo.stores.ratings import RATINGS, rate
from continuo.stores.runs import Runs
from tests.continuo.stores.test_journal import CONTEXT, TODAY, outcome
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import BEGAN, done, row
from tests.support.stores import ledger, record

LATER = "9999"


async def names(database: Database, rows: Aged) -> list[str]:
    found = await database.read(f"SELECT {rows.name} AS name FROM {rows.table} ORDER BY {rows.name}")
    return [row["name"] for row in found]


async def journalled(database: Database, times: dict[str, str]) -> None:
    """Rows of the journal by identity."""

    def write(connection: Connection) -> None:
        for identity, time in times.items():
            connection.execute("INSERT INTO journal (identity, time, outcome) VALUES (?, ?, '{}')", (identity, time))

    await database.write(write)


async def test_a_ledger_without_its_old_rows_still_knows_what_each_day_has_cost(database: Database) -> None:
    journal = Journal(database)
    await record(journal, "old/1", outcome(), CONTEXT, TODAY)
    await record(journal, "open/1", outcome(), CONTEXT, TODAY)
    assert await prune(database, LEDGER, LATER, lambda name: name == "open/1", dry_run=True) == 1
    assert await prune(database, LEDGER, LATER, lambda name: name == "open/1", dry_run=False) == 1
    assert [row["identity"] for row in await ledger(database)] == ["open/1"]
    assert (await Budgets(database).balance("acme", TODAY)).spent == 0.00003
    assert await names(database, JOURNAL) == ["old/1", "open/1"]


async def test_ratings_go_when_they_were_given_long_ago(database: Database) -> None:
    given = [rating("old"), rating("old", rater="bob"), rating("new", time=BEGAN + timedelta(seconds=60))]
    await rate(database, given)
    before = (BEGAN + timedelta(seconds=60)).isoformat()
    counts = [await prune(database, RATINGS, before, lambda name: False, dry_run=dry) for dry in (True, False, False)]
    assert counts == [2, 2, 0]
    assert await names(database, RATINGS) == ["new"]


async def test_rows_of_runs_go_when_they_began_long_ago_unless_they_run(database: Database) -> None:
    await Runs(database, "here").keep([done("old"), row("runs"), done("new", 60)])
    assert (
        await prune(database, RUNS, (BEGAN + timedelta(seconds=60)).isoformat(), lambda name: False, dry_run=False) == 1
    )
    assert await names(database, RUNS) == ["new", "runs"]


async def test_a_long_journal_goes_while_calls_are_recorded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "PAUSE", 0)
    await journalled(database, {f"old-{n}/1": "2020" for n in range(3 * PORTION + 1)})
    journal = Journal(database)
    count, *_ = await asyncio.gather(
        prune(database, JOURNAL, "2021", lambda name: name == "old-7/1", dry_run=False),
        *(record(journal, f"new-{n}/1", outcome(), CONTEXT, TODAY) for n in range(50)),
    )
    assert count == 3 * PORTION
    assert await names(database, JOURNAL) == sorted(["old-7/1", *(f"new-{n}/1" for n in range(50))])


async def test_pruning_that_is_stopped_midway_is_done_by_the_next(database: Database) -> None:
    await journalled(database, {f"old-{n}/1": "2020" for n in range(2 * PORTION)} | {"new/1": "2022"})
    dies = iter([False] * PORTION)
    with pytest.raises(RuntimeError):
        await prune(database, JOURNAL, "2021", lambda name: next(dies), dry_run=False)
    assert len(await names(database, JOURNAL)) == PORTION + 1
    assert await prune(database, JOURNAL, "2021", lambda name: False, dry_run=False) == PORTION
    assert await names(database, JOURNAL) == ["new/1"]


IDENTITIES = st.text("ab", min_size=1, max_size=3)


@given(
    times=st.dictionaries(IDENTITIES, st.sampled_from([f"202{n}" for n in range(5)])),
    before=st.sampled_from([f"202{n}" for n in range(6)]),
    needed=st.sets(IDENTITIES),
    portion=st.integers(1, 4),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("store_environ", ["sqlite"], indirect=True)
async def test_exactly_what_is_old_and_not_needed_goes(
    times: dict[str, str], before: str, needed: set[str], portion: int, database: Database
) -> None:
    await database.write(lambda connection: connection.execute("DELETE FROM journal").rowcount)
    await journalled(database, times)
    gone = {name for name, time in times.items() if time < before and name not in needed}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "PORTION", portion)
        patch.setattr(pruning, "PAUSE", 0)
        for dry_run in (True, False):
            assert await prune(database, JOURNAL, before, needed.__contains__, dry_run=dry_run) == len(gone)
    assert await names(database, JOURNAL) == sorted(times.keys() - gone)
