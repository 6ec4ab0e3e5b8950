"""Lists of runs: page by page each run once, with totals of all that are wanted, quick where there are very many."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from continuo.operations.runs import Mark, RunQuery, RunRow
from continuo.stores.database import Database
from continuo.stores.migrations import STORE
from continuo.stores.runs import Runs, listed, totals
from continuo.stores.sqlite.database import Sqlite

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Sqlite(tmp_path / "store.db", STORE)
    yield database
    await database.aclose()


def row(number: int) -> RunRow:
    return RunRow(
        run_id=f"{number:06}",
        workflow_id=f"run-{number}",
        tenant=("acme", "umbra", "roomy")[number % 3],
        pattern="rare" if number % 50 == 0 else "support",
        kind="fallback",
        status="running" if number % 20 == 0 else "failed" if number % 20 == 1 else "done",
        # Several begin in the same moment.
        started=BEGAN + timedelta(seconds=number // 4),
        ended=None if number % 20 == 0 else BEGAN,
        cost_usd=None if number % 10 == 0 else 0.25,
        error="x" * 150,
    )


@pytest.mark.parametrize(
    "wanted", [{}, {"tenant": "acme"}, {"pattern": "rare"}, {"tenant": "umbra", "status": "done"}], ids=str
)
async def test_each_run_is_on_one_page_and_totals_are_of_all(database: Database, wanted: dict[str, str]) -> None:
    rows = [row(number) for number in range(200)]
    await Runs(database, "n").keep(rows)
    query, after, seen = RunQuery.model_validate({**wanted, "limit": 7}), None, list[RunRow]()
    while page := await listed(database, query, after):
        seen += page
        after = Mark(page[-1].started, page[-1].run_id)
    matching = [one for one in reversed(rows) if all(getattr(one, name) == value for name, value in wanted.items())]
    assert seen == matching
    sums = await totals(database, query)
    assert sums.runs == len(matching)
    assert sums.cost_usd == pytest.approx(sum(one.cost_usd or 0 for one in matching))
    assert sums.unpriced == sum(one.cost_usd is None and one.status != "running" for one in matching)


@pytest.mark.chaos
async def test_very_many_runs_are_listed_and_added_up_in_a_moment(database: Database) -> None:
    for first in range(0, 20_000, 5000):
        await Runs(database, "n").keep([row(number) for number in range(first, first + 5000)])
    for wanted in (
        {},
        {"tenant": "acme"},
        {"pattern": "rare"},
        {"pattern": "none"},
        {"tenant": "acme", "status": "cancelled"},
    ):
        query, took = RunQuery.model_validate({**wanted, "limit": 51}), []
        for _ in range(5):
            began = time.perf_counter()
            await listed(database, query)
            await totals(database, query)
            took.append(time.perf_counter() - began)
        # The quickest, and with much to spare: others use the machine too.
        assert (wanted, min(took)) < (wanted, 5)
