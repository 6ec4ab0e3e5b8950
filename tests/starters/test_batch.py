"""`continuo batch` as a person types it."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from continuo.testing.processes import Control
from tests.starters.test_cli import continuo

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def items(tmp_path: Path) -> Path:
    path, unique = tmp_path / "items.jsonl", uuid4().hex
    path.write_text("".join(f'{{"prompt": "Question {n} {unique}?", "id": "q{n}"}}\n' for n in range(1, 6)))
    return path


async def test_a_file_of_items_becomes_a_file_of_results_and_once_is_enough(
    simulator: Control, items: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results.jsonl"
    line = ("batch", "run", "model:sim-mid", str(items), "-o", str(results), "--priority", "standard")
    first = await continuo(*line, "--json")
    assert first.code == 0, first.err
    assert json.loads(first.out)["tally"]["done"] == 5
    rows = [json.loads(row) for row in results.read_text().splitlines()]
    assert [(row["item"], row["id"], row["status"]) for row in rows] == [(n, f"q{n}", "done") for n in range(1, 6)]
    assert all(row["outcome"]["text"] for row in rows)
    again = await continuo(*line)
    assert again.code == 0
    assert len(await simulator.calls("sim-mid")) == 5
    listed = await continuo("batch", "list", "--json")
    assert json.loads(first.out)["id"] in listed.out
    shown = await continuo("batch", "show", json.loads(first.out)["id"])
    assert "done" in shown.out


async def test_failed_items_are_counted_and_run_again_alone(simulator: Control, items: Path) -> None:
    await simulator.behave("sim-mid", status=400, error_message="no")
    failed = await continuo("batch", "run", "model:sim-mid", str(items), "--priority", "standard", "--json")
    assert failed.code == 1
    batch = json.loads(failed.out)
    assert batch["tally"]["failed"] == 5
    assert f"continuo batch rerun-failed {batch['id']}" in failed.err
    await simulator.delete("/_sim/models")
    again = await continuo("batch", "rerun-failed", batch["id"], "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["tally"]["done"] == 5


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--window", "0"), "--window: 0 is not between 1 and 500"),
        (("--off-peak", "22-6"), "--off-peak: '22-6' is no window of a day"),
        (("--off-peak", "22:00-06:00", "--zone", "Mars"), "--off-peak:"),
        (("--zone", "UTC"), "--zone is that of --off-peak"),
        (("--budget", "0"), "--budget: 0 is no sum of money"),
        (("--id", "a/b"), "is no batch's id"),
    ],
)
async def test_wrong_terms_are_one_line_before_anything_starts(
    items: Path, arguments: tuple[str, ...], why: str
) -> None:
    result = await continuo("batch", "run", "model:sim-mid", str(items), *arguments)
    assert (result.code, result.out) == (2, "")
    assert why in result.err


async def test_a_wrong_line_is_named_and_nothing_is_kept(simulator: Control, items: Path) -> None:
    items.write_text('"good"\n{"prompt": ""}\n', encoding="utf-8")
    result = await continuo("batch", "run", "model:sim-mid", str(items), "--id", f"b{uuid4().hex}")
    assert result.code == 2
    assert f"{items}:2: " in result.err
    assert await simulator.calls("sim-mid") == []
