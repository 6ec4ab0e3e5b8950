"""`continuo schedule` as a person types it."""

import asyncio
import json
import shlex
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.operations.schedules import schedule_id
from continuo.testing.processes import Control, until
from tests.support.commands import continuo, typed
from tests.support.repository import ROOT

pytestmark = pytest.mark.usefixtures("worker")


async def test_a_schedule_is_made_listed_run_paused_and_deleted(client: Client, simulator: Control) -> None:
    name, whose = "morning", ("--tenant", f"tenant-{uuid4().hex[:8]}")
    when = ("--cron", "0 6 * * 1-5", "--zone", "Europe/Berlin")
    made = await continuo("schedule", "create", name, "model:mid", "How many?", *when, *whose)
    assert made.code == 0, made.err
    assert made.out.startswith("schedule morning runs model:mid: 0 6 * * 1-5 (Europe/Berlin); next 20")
    assert " 06:00:00 CE" in made.out
    taken, triggered, paused = await asyncio.gather(
        continuo("schedule", "create", name, "model:mid", "How many?", *when, *whose),
        continuo("schedule", "trigger", name, *whose),
        continuo("schedule", "pause", name, "--note", "too dear", *whose),
    )
    assert (taken.code, "give --replace" in taken.err) == (2, True)
    assert (triggered.code, paused.code) == (0, 0)

    async def done() -> bool:
        shown = json.loads((await continuo("schedule", "show", name, "--json", *whose)).out)
        return [one["status"] for one in shown["times"]] == ["completed"]

    await until(done)
    listed, shown = await asyncio.gather(
        continuo("schedule", "list", *whose), continuo("schedule", "show", name, *whose)
    )
    assert "paused: too dear" in listed.out
    assert "1 times, 0 skipped, 0 missed" in shown.out
    for code, command in ((0, "resume"), (0, "delete"), (2, "delete")):
        assert (await continuo("schedule", command, name, *whose)).code == code


async def test_a_batch_is_planned_and_is_its_items_again(client: Client, simulator: Control, tmp_path: Path) -> None:
    items, whose = tmp_path / "items.jsonl", ("--tenant", f"tenant-{uuid4().hex[:8]}")
    items.write_text('"One?"\n"Two?"\n', encoding="utf-8")
    how = ("--items", str(items), "--every", "1d", "--provider-batch", "--within", "20h")
    made = await continuo("schedule", "create", "nightly", "model:mid", *how, *whose)
    assert made.code == 0, made.err
    items.unlink()
    assert (await continuo("schedule", "trigger", "nightly", *whose)).code == 0

    async def done() -> bool:
        listed = json.loads((await continuo("batch", "list", "--json", *whose)).out)
        return [(one["tally"]["done"]) for one in listed["rows"] if one["state"] == "done"] == [2]

    await until(done)
    assert [call["protocol"] for call in await simulator.calls("sim-mid")] == ["openai batch"] * 2
    assert (await continuo("schedule", "delete", "nightly", *whose)).code == 0


async def test_what_the_page_shows_is_planned(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in page.splitlines() if line.startswith("continuo schedule create ")]
    assert len(commands) == 3
    (tmp_path / "items.jsonl").write_text('"One?"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    whose = f"tenant-{uuid4().hex[:8]}"
    shown = [[whose if word == "acme" else word for word in command[1:]] for command in commands]
    shown = [command if "--tenant" in command else [*command, "--tenant", whose] for command in shown]
    assert [made.err for made in await asyncio.gather(*(continuo(*command) for command in shown)) if made.code] == []
    for command in shown:
        await client.get_schedule_handle(schedule_id(whose, command[2])).delete()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model:mid", "How many?", "--every", "1h", "--window", "3"), "--window is a batch's"),
        (("model:mid", "How many?", "--every", "1h", "--provider-batch"), "--provider-batch is a batch's"),
        (("model:mid", "How many?", "--every", "1h", "--items", "items.jsonl"), "leave out the prompt"),
        (("model:mid", "How many?"), "say when"),
        (("model:mid", "--every", "1h"), "give either a prompt"),
        (("model:mid", "How many?", "--cron", "0 99 * * *"), "cron, or another of its times"),
        (("model:mid", "How many?", "--every", "now"), "every: 'now' is not a duration"),
        (("model:mid", "How many?", "--every", "1h", "--starting", "soon"), "--starting: 'soon' is no time"),
        (("nosuch", "How many?", "--every", "1h"), "unknown pattern 'nosuch'"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = typed(monkeypatch, "schedule", "create", "wrong", *arguments)
    out, err = capsys.readouterr()
    assert (code, out, len(err.splitlines())) == (2, "", 1), err
    assert message in err
