"""`continuo runs` and `continuo show` on the real server, with a pool and without one."""

import csv
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.runs import Handle, result, start
from continuo.errors import InputError
from continuo.patterns import Call, Fallback, Pipeline, PipelineStep, Retry, Step, Template
from continuo.starters.commands.runs import list_runs, rebuild
from continuo.starters.commands.show import show
from continuo.starters.console.table import Form
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.testing.processes import Control, job, until
from continuo.workers.pool import pool
from tests.continuo.stores.test_runs import done
from tests.support.commands import continuo
from tests.support.world import World

FALLS = Fallback(steps=(Call(model="premium", retry=Retry(attempts=1)), Call(model="mid")))
ROOT = Pipeline(
    steps=(
        PipelineStep(name="draft", step=Call(model="mini")),
        PipelineStep(name="final", step=FALLS.model_copy(update={"isolate": True})),
    )
)


@pytest.fixture
async def tenant(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tenant of its own, whose runs are the only ones in a table of their own."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    return f"t-{uuid4()}"


async def ran(client: Client, tenant: str, step: Step, name: str = "run") -> Handle:
    """A run of this tenant that has ended and is listed as that."""
    asked = job(step)
    asked = asked.model_copy(update={"context": asked.context.model_copy(update={"tenant": tenant, "user": "ada"})})
    handle = await start(client, asked, id=f"{name}-{uuid4()}")
    await result(handle)

    async def there() -> bool:
        query = f"WorkflowId = '{handle.id}' AND ExecutionStatus != 'Running'"
        return (await client.count_workflows(query)).count == 1

    await until(there)
    return handle


@pytest.mark.usefixtures("worker")
async def test_runs_are_listed_for_people_for_programs_and_for_spreadsheets(
    client: Client, simulator: Control, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await simulator.behave("sim-premium", status=400)
    handle = await ran(client, tenant, FALLS)
    failed = await ran(client, tenant, FALLS.steps[0])
    capsys.readouterr()
    assert await list_runs(tenant=tenant, form=Form(json=True)) == 0
    newest, oldest = json.loads(capsys.readouterr().out)["rows"]
    assert (newest["workflow_id"], newest["status"]) == (failed.id, "failed")
    assert (oldest["workflow_id"], oldest["status"], oldest["tier"], oldest["user"]) == (handle.id, "done", 2, "ada")

    table = await continuo("runs", "--tenant", tenant, "--status", "done", "--since", "1h")
    assert table.code == 0, table.err
    [row] = [line for line in table.out.splitlines() if tenant in line]
    assert [word in row for word in (handle.id, "test", "done", "sim-mid", "2")] == [True] * 5
    assert "/workflows?query=ContinuoPattern%20IS%20NOT%20NULL" in table.err

    assert await list_runs(tenant=tenant, limit=1, form=Form(csv=True)) == 0
    [cells] = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (cells["workflow_id"], cells["served_by"], cells["cost_usd"]) == (failed.id, "", "0.0")

    assert await rebuild() == 0
    assert "ended runs were read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"since": "yesterday"}, "since: 'yesterday' is neither a duration nor a day; write 2h, 7d or 2026-11-21"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"form": Form(json=True, csv=True)}, "--json and --csv: give one of them"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("environ")
async def test_wrong_options_are_told_in_one_line(options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        await list_runs(**options)  # type: ignore[arg-type]


async def test_without_a_server_the_rows_are_as_they_were_last_seen(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    database = open_store(Settings(), {})
    await Runs(database, "here").keep([done()])
    await database.aclose()
    assert await list_runs(form=Form(json=True)) == 0
    printed = capsys.readouterr()
    assert [row["run_id"] for row in json.loads(printed.out)["rows"]] == ["r1"]
    assert printed.err.startswith(
        "warning: these are as they were last seen, since Temporal cannot be asked: no Temporal"
    )


@pytest.mark.usefixtures("worker")
async def test_a_run_is_shown_with_its_steps_costs_answers_and_why_a_tier_gave_way(
    client: Client, simulator: Control, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await simulator.behave("sim-premium", status=400, error_message="a \x1b[31mred one")
    await simulator.behave("sim-mini", text="the draft")
    await simulator.behave("sim-mid", text="the end")
    handle = await ran(client, tenant, ROOT, "shown")
    shown = await continuo("show", handle.id[:-3])
    assert shown.code == 0, shown.err
    assert "\x1b" not in shown.out
    lines = [line.strip("│├└─┃ ") for line in shown.out.splitlines()]
    assert lines[0] == f"{handle.id} (run {handle.first_execution_run_id})"
    assert lines[1] == f"test (pipeline) for {tenant}, user ada"
    assert lines[2].startswith("done, began ")
    for beginning in (
        "✓ draft: sim-mini done",
        "✓ final: fallback done",
        "✗ tier1: sim-premium failed",
        "✓ tier2: sim-mid done",
    ):
        assert any(line.startswith(beginning) for line in lines), shown.out
    assert any("1: tier 1: invalid_request" in line and "a \\u001b[31mred one" in line for line in lines), shown.out
    assert lines[lines.index("answers:") + 1] == "draft: the draft"
    assert lines[-2:] == ["answer:", "the end"]

    capsys.readouterr()
    assert await show(str(handle.first_execution_run_id), json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["run"]["workflow_id"] == handle.id
    assert [step["path"] for step in found["steps"]] == ["draft", "final", "final.tier1", "final.tier2"]
    assert (found["outcome"]["text"], len(found["calls"]), found["failure"]) == ("the end", 3, None)


@pytest.mark.usefixtures("worker")
async def test_a_run_that_was_terminated_is_shown_as_ended_and_its_steps_too(
    client: Client, simulator: Control, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await simulator.behave("sim-mini", latency=60)
    handle = await start(client, job(ROOT), id=f"ended-{uuid4()}")
    await until(lambda: simulator.calls("sim-mini"))
    assert await show(handle.id, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"]["status"], found["steps"][0]["status"], found["outcome"]) == ("running", "running", None)
    await handle.terminate("enough")
    assert await show(handle.id, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"]["status"], found["run"]["cost_usd"]) == ("terminated", None)
    assert [(step["path"], step["status"]) for step in found["steps"]] == [("draft", "cancelled")]
    assert "enough" in found["failure"]["message"] or found["failure"]["type"] == "TerminatedError"


async def test_of_a_run_that_temporal_has_forgotten_the_row_is_shown(
    client: Client, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_store(Settings(), {})
    await Runs(database, "here").keep([done(f"r-{tenant}")])
    await database.aclose()
    assert await show(f"w-r-{tenant}") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"w-r-{tenant} (run r-{tenant})\nsupport (call) for acme\ndone, began 2026-11-21")
    assert "Temporal has forgotten this run" in printed.err
    with pytest.raises(InputError, match="no run has the id 'no-such', or one that begins with it"):
        await show("no-such")


async def test_without_a_pool_a_finished_run_is_shown_by_its_calls(
    world: World, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with pool(world.client, Library(), "standard", 10):
        handle = await ran(world.client, tenant, FALLS)
    assert await show(handle.id) == 0
    printed = capsys.readouterr()
    assert "warning: no pool answers for the steps of this run; start one: continuo workers" in printed.err
    assert [line.split("│")[1].strip() for line in printed.out.splitlines() if "│" in line] == ["tier1"]


async def test_what_is_no_run_of_a_pattern_is_not_shown(client: Client, tenant: str) -> None:
    step = Template(text="x")
    handle = await client.start_workflow("Template", job(step), id=f"bare-{uuid4()}", task_queue="nobody's")
    with pytest.raises(InputError, match="is no run of a pattern; see `continuo runs`"):
        await show(handle.id)
    await handle.terminate()
