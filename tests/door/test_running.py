"""A plain model call is no workflow where the server can, and all else is as with one."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, PlainRun, Request, Run
from continuo.door.collecting import collect
from continuo.door.executions import open_runs, referred
from continuo.door.inspection import inspected
from continuo.door.plain import described
from continuo.door.plain_rows import plain_row
from continuo.door.running import Running
from continuo.jobs import Background, Context, Failure, Outcome
from continuo.operations.dead_letters import Letter, letter_id
from continuo.operations.runs import RunQuery
from continuo.patterns import Call
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs, listed
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, kill, until
from tests.support.world import World, made

ACME = Context(tenant="acme", user="ada")


@pytest.fixture
async def running(client: Client, worker: None) -> Running:
    return await able(client)


async def able(client: Client) -> Running:
    return Running(Door(client, Library()), plain_calls=(await namespace_of(client)).plain_calls)


def request(model: str = "sim-mini", id: str | None = None, **fields: object) -> Request:
    return Request.model_validate({"pattern": f"model:{model}", "prompt": "Hello", "id": id} | fields)


async def started(running: Running, asked: Request, context: Context = ACME) -> Run | PlainRun:
    return await running.start(await running.door.check(asked, context))


async def plain(running: Running, asked: Request) -> PlainRun:
    run = await started(running, asked)
    assert isinstance(run, PlainRun)
    return run


async def asked_times(simulator: Control, model: str, count: int) -> None:
    async def so_often() -> bool:
        return len(await simulator.calls(model)) == count

    await until(so_often)


async def test_a_call_is_answered_and_accounted_for_without_a_workflow(
    client: Client, running: Running, simulator: Control
) -> None:
    run = await plain(running, request())
    outcome = await run.result()
    assert isinstance(outcome, Outcome)
    assert (outcome.workflow_id, outcome.run_id, outcome.model) == (run.id, run.run_id, "sim-mini")
    assert outcome.latency_ms is not None
    with pytest.raises(RPCError, match="not found"):
        await client.get_workflow_handle(run.id).describe()
    assert await run.state() == "ended"
    row = await plain_row(client, run.id, await run.newest_run_id())
    assert row is not None
    assert (row.status, row.kind, row.pattern, row.tenant, row.user) == (
        "done",
        "call",
        "model:sim-mini",
        "acme",
        "ada",
    )
    assert (row.cost_usd, row.latency_ms, row.model) == (outcome.cost_usd, outcome.latency_ms, "sim-mini")
    shown = await inspected(client, run.id)
    assert shown is not None
    assert (shown.run, shown.outcome, shown.calls) == (row, outcome, outcome.calls)
    database = open_store(Settings(), environment())
    identity = f"{run.run_id}/call"
    for table in ("journal", "ledger"):
        assert len(await database.read(f"SELECT * FROM {table} WHERE identity = ?", (identity,))) == 1
    await database.aclose()


async def test_the_table_of_runs_has_every_end_of_a_call(
    client: Client, running: Running, simulator: Control, tmp_path: Path
) -> None:
    done = await plain(running, request())
    await done.result()
    await simulator.behave("sim-mini", latency=60)
    ongoing, stopped = [await plain(running, request()) for _ in range(2)]
    await asked_times(simulator, "sim-mini", 3)
    await stopped.cancel()
    await stopped.result()
    database = open_store(Settings(data=tmp_path), {})
    runs = Runs(database, (await namespace_of(client)).id)

    async def found(status: str) -> bool:
        await collect(client, runs)
        rows = {row.run_id: row for row in await listed(database, RunQuery(limit=10_000))}
        statuses = [rows[run.run_id].status for run in (done, ongoing, stopped) if run.run_id in rows]
        return statuses == ["done", status, "cancelled"]

    await until(lambda: found("running"), every=0.3)
    await ongoing.handle.terminate(reason="by hand")
    await until(lambda: found("terminated"), every=0.3)
    await database.aclose()


async def test_what_a_call_holds_is_not_pruned_as_long_as_it_is_known(
    client: Client, running: Running, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="x" * 100_000, latency=0.5)
    later = datetime.now(UTC) + timedelta(hours=1)
    before = await referred(client, later)
    run = await plain(running, request())

    async def listed_as_open() -> bool:
        return run.run_id in await open_runs(client)

    await until(listed_as_open)
    outcome = await run.result()
    assert isinstance(outcome, Outcome)

    async def referred_to() -> bool:
        return len(await referred(client, later) - before) == 1

    await until(referred_to)


@pytest.mark.parametrize(
    ("asked", "context"),
    [
        (request().model_copy(update={"pattern": "support"}), ACME),
        (request().model_copy(update={"pattern": Call(model="sim-mini")}), ACME),
        (request(), Context(tenant="acme", deadline=60)),
        (request(), Context(tenant="acme", background=Background(id="job_1"))),
    ],
    ids=["a named pattern", "a pattern itself", "with a deadline", "a job"],
)
async def test_all_else_is_a_workflow(running: Running, simulator: Control, asked: Request, context: Context) -> None:
    run = await started(running, asked, context)
    assert isinstance(run, Run)
    assert isinstance(await run.result(), Outcome)


async def test_under_its_id_a_call_is_made_once(running: Running, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=0.5)
    asked = request(id=uuid4().hex)
    first, joined = await asyncio.gather(plain(running, asked), plain(running, asked))
    answer = await first.result()
    again = await plain(running, asked)
    assert [await run.result() for run in (joined, again)] == [answer, answer]
    assert (first.answered_before, again.answered_before) == (False, True)
    assert len(await simulator.calls()) == 1


async def test_an_id_that_had_a_workflow_has_no_plain_call(
    client: Client, running: Running, simulator: Control
) -> None:
    asked, before = request(id=uuid4().hex), Running(Door(client, Library()), plain_calls=False)
    run = await started(before, asked)
    answer = await run.result()
    assert isinstance(run, Run)
    again = await started(running, asked)
    assert (await again.result(), again.answered_before) == (answer, True)


async def test_a_failing_provider_is_asked_again_and_what_failed_is_told(running: Running, simulator: Control) -> None:
    await simulator.behave("sim-mini", outage=2, text="now")
    outcome = await (await plain(running, request())).result()
    assert isinstance(outcome, Outcome)
    assert (outcome.text, [call.attempts for call in outcome.calls]) == ("now", [3])


async def test_what_failed_for_good_is_a_dead_letter_whose_retry_is_found_in_its_place(
    client: Client, running: Running, simulator: Control
) -> None:
    await simulator.behave("sim-mini", status=400)
    asked = request(id=uuid4().hex)
    run = await plain(running, asked)
    failure = await run.result()
    assert isinstance(failure, Failure)
    assert (failure.type, [call.status for call in failure.calls]) == ("invalid_request", ["failed"])
    known = await described(run.handle)
    assert known.attempt == 1
    row = await plain_row(client, run.id, await run.newest_run_id())
    assert row is not None
    assert (row.status, row.error) == ("failed", failure.cause)
    handle = client.get_workflow_handle(letter_id(run.id, await run.newest_run_id()))
    letter = await handle.query("letter", result_type=Letter)
    assert (letter.failure, letter.job.request.prompt, letter.workflow_id) == (failure, "Hello", run.id)
    await simulator.behave("sim-mini", text="now")
    await handle.signal("retry", None)
    await asyncio.wait_for(handle.result(), 30)
    for newest in (await running.run(run.id), await running.find(asked, "acme"), await started(running, asked)):
        assert isinstance(newest, Run)
        answer = await newest.result()
        assert isinstance(answer, Outcome)
        assert answer.text == "now"
    assert len(await simulator.calls()) == 2


async def test_a_cancelled_call_ends_at_once_and_is_paid_for(
    client: Client, running: Running, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=60)
    run = await plain(running, request())
    await asked_times(simulator, "sim-mini", 1)
    assert await run.state() == "running"
    await run.cancel()
    failure = await asyncio.wait_for(run.result(), 5)
    assert isinstance(failure, Failure)
    assert (failure.type, [call.status for call in failure.calls]) == ("Cancelled", ["cancelled"])
    row = await plain_row(client, run.id, await run.newest_run_id())
    assert row is not None
    assert (row.status, row.cost_usd) == ("cancelled", failure.calls[0].cost_usd)
    assert row.cost_usd
    await run.cancel()


async def test_calls_that_wait_for_a_place_hold_no_slot_and_are_counted_as_one_attempt(
    running: Running, simulator: Control
) -> None:
    await simulator.behave("sim-narrow", latency=0.2)
    runs = await asyncio.gather(*(plain(running, request("sim-narrow")) for _ in range(5)))
    found = await asyncio.gather(*(run.result() for run in runs))
    assert [[call.attempts for call in one.calls] for one in found] == [[1]] * 5
    times = sorted((call["time"], call["time"] + 0.2) for call in await simulator.calls("sim-narrow"))
    assert max(sum(begun <= time < ended for begun, ended in times) for time, _ in times) == 2


async def test_a_call_that_waits_is_cancelled_at_once(running: Running, simulator: Control) -> None:
    await simulator.behave("sim-narrow", latency=60)
    runs = [await plain(running, request("sim-narrow")) for _ in range(3)]
    await asked_times(simulator, "sim-narrow", 2)
    for run in runs:
        await run.cancel()
    found = await asyncio.gather(*(asyncio.wait_for(run.result(), 5) for run in runs))
    assert {one.type for one in found if isinstance(one, Failure)} == {"Cancelled"}


async def test_where_the_server_can_not_it_is_a_workflow(
    tmp_path_factory: pytest.TempPathFactory, environ: pytest.MonkeyPatch
) -> None:
    async with made(tmp_path_factory.mktemp("unable"), "activity.enableStandalone=false") as world:
        assert not (await namespace_of(world.client)).plain_calls
        for told in (False, True):
            running = Running(Door(world.client, Library()), plain_calls=told)
            run = await started(running, request())
            assert isinstance(run, Run)
            await run.cancel()
            assert isinstance(await running.run(run.id), Run)


@pytest.mark.chaos
async def test_calls_are_answered_and_paid_once_though_worker_and_temporal_are_killed(world: World) -> None:
    await world.simulator.behave("sim-mini", latency=60)
    first = await world.pool()
    running = await able(world.client)
    runs = [await plain(running, request()) for _ in range(5)]
    await asked_times(world.simulator, "sim-mini", 5)
    await kill(first)
    await world.simulator.behave("sim-mini", latency=2)
    await world.pool()
    outcomes = await asyncio.gather(*(asyncio.wait_for(run.result(), 100) for run in runs))
    assert [[(call.status, call.attempts) for call in one.calls] for one in outcomes] == [[("ok", 2)]] * 5
    database = world.journal()
    identities = {f"{run.run_id}/call" for run in runs}
    rows = await database.read("SELECT identity, status FROM ledger WHERE status = 'ok'")
    assert identities <= {row["identity"] for row in rows}
    await database.aclose()
    assert len({call["idempotency_key"] for call in await world.simulator.calls("sim-mini")}) == 5

    await world.simulator.delete("/_sim/calls")
    runs = [await plain(running, request()) for _ in range(5)]
    await asked_times(world.simulator, "sim-mini", 5)
    await kill(world.temporal.child)
    await world.temporal.start()
    outcomes = await asyncio.gather(*(asyncio.wait_for(run.result(), 100) for run in runs))
    assert [isinstance(one, Outcome) for one in outcomes] == [True] * 5
    assert len(await world.simulator.calls("sim-mini")) == 5
