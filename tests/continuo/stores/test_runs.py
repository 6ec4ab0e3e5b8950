"""The table of runs, on each store."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import CallRecord, Failure, Outcome
from continuo.messages import Usage
from continuo.operations.audit import Seen
from continuo.operations.jobs import JobQuery
from continuo.operations.runs import RunQuery, RunRow
from continuo.stores.database import Database
from continuo.stores.runs import Runs, listed, rows_of

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAID = CallRecord(path="", model="m", status="ok", usage=Usage(input_tokens=3, output_tokens=4), cost_usd=0.25)
UNPRICED = PAID.model_copy(update={"cost_usd": None})


def row(run_id: str = "r1", after: float = 0, **fields: object) -> RunRow:
    """A run that began so many seconds after `BEGAN`."""
    begun = RunRow(
        run_id=run_id,
        workflow_id=f"w-{run_id}",
        tenant="acme",
        pattern="support",
        kind="call",
        status="running",
        started=BEGAN + timedelta(seconds=after),
    )
    return begun.model_copy(update=fields)


def done(run_id: str = "r1", after: float = 0, **fields: object) -> RunRow:
    result = Outcome(text="", served_by="model", model="m", calls=(PAID,), simulated=True, tier=2, latency_ms=1.5)
    ended = row(run_id, after, status="done", ended=BEGAN + timedelta(seconds=after + 1), **fields)
    return ended.with_result(result)


async def test_an_end_replaces_the_beginning_and_no_beginning_replaces_an_end(database: Database) -> None:
    runs = Runs(database, "here")
    await runs.keep([row()])
    assert await runs.running() == [row()]
    await runs.keep([done(user="ada", label="high", variant="a", saved_usd=0.1, parent="p", shadow_of="s", error="e")])
    await runs.keep([row()])
    assert await runs.running() == []
    (kept,) = await listed(database, RunQuery())
    assert kept == done(user="ada", label="high", variant="a", parent="p", shadow_of="s", error="e")


async def test_a_list_is_of_what_is_wanted_the_newest_first(database: Database) -> None:
    other = row("r3", 20, tenant="globex", pattern="other")
    await Runs(database, "here").keep([done("r1"), row("r2", 10), other])
    await Runs(database, "there").keep([row("r4", 5, workflow_id="w-r1")])

    async def ids(**wanted: object) -> list[str]:
        return [found.run_id for found in await listed(database, RunQuery.model_validate(wanted))]

    assert await ids() == ["r3", "r2", "r4", "r1"]
    assert await ids(limit=2) == ["r3", "r2"]
    assert await ids(tenant="globex") == await ids(pattern="other") == ["r3"]
    assert await ids(status="done") == ["r1"]
    assert await ids(since=BEGAN + timedelta(seconds=10)) == ["r3", "r2"]
    assert await ids(since="2026-11-22") == await ids(since="1h") == []
    assert [found.run_id for found in await rows_of(database, "w-r1")] == ["r4", "r1"]
    assert [found.run_id for found in await rows_of(database, "r2")] == ["r2"]


async def test_a_position_is_of_its_namespace_and_never_goes_back(database: Database) -> None:
    here, there = Runs(database, "here"), Runs(database, "there")
    assert await here.position() is None
    await here.advance(BEGAN)
    await here.advance(BEGAN - timedelta(seconds=1))
    assert (await here.position(), await there.position()) == (BEGAN, None)
    rows = [done("r1"), done("r2", 5)]
    await here.keep(rows, [entry for row in rows for entry in Seen(row).entries])
    assert await here.ended_since(BEGAN + timedelta(seconds=2)) == {"r2"}
    assert await there.ended_since(BEGAN) == set()


async def test_one_at_a_time_follows_the_runs(database: Database) -> None:
    runs = Runs(database, "here")
    assert await runs.claim("a", now=0, seconds=30)
    assert not await runs.claim("b", now=10, seconds=30)
    assert await runs.claim("a", now=20, seconds=30)
    assert not await runs.claim("b", now=40, seconds=30)
    assert await runs.claim("b", now=51, seconds=30)
    assert await runs.position() is None


@given(known=st.booleans(), answered=st.booleans())
def test_what_a_run_cost_is_the_sum_of_its_calls_or_unknown(known: bool, answered: bool) -> None:
    calls = (PAID, PAID if known else UNPRICED)
    failure = Failure(type="Broken", message="x " * 200, calls=calls)
    found = row().with_result(Outcome(text="", served_by="model", calls=calls) if answered else failure)
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (6, 8, 0.5 if known else None)
    assert found.error == (None if answered else f"Broken: {'x ' * 95}x…")


async def test_jobs_are_a_tenants_in_pages_each_by_its_newest_run_alone(database: Database) -> None:
    here = Runs(database, "here")
    jobs = [row(f"r{at}", at, job=f"job_{at}", metadata={"at": f"{at}"}) for at in range(4)]
    again = [done("r5", 5, job="job_1"), row("r6", 6, status="terminated", job="job_2")]
    await here.keep([*jobs, *again, row("r7", 7), row("r8", 8, job="job_8", tenant="globex")])
    await Runs(database, "there").keep([row("r9", 9, job="job_9")])

    async def ids(after: RunRow | None = None, **query: object) -> list[str | None]:
        return [found.job for found in await here.jobs("acme", JobQuery.model_validate(query), after)]

    assert await ids() == ["job_2", "job_1", "job_3", "job_0"]
    assert await ids(limit=1) == ["job_2", "job_1"]
    assert await ids(again[0]) == ["job_3", "job_0"]
    assert await ids(status="running") == await ids(status="queued") == ["job_3", "job_0"]
    assert (await ids(status="completed"), await ids(status="failed")) == (["job_1"], ["job_2"])
    assert await ids(again[1], status="failed") == await ids(status="cancelled") == []
    found = [await here.job(tenant, id) for tenant, id in (("acme", "job_1"), ("globex", "job_1"), ("acme", "job_9"))]
    assert [one and one.run_id for one in found] == ["r5", None, None]
    assert (await here.job("acme", "job_3")) == jobs[3]
