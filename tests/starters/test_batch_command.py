"""`continuo batch` on the real server."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from continuo.starters.parquet import read_rows
from continuo.testing.processes import Control
from tests.support.commands import continuo


@pytest.mark.usefixtures("worker")
async def test_results_are_in_the_order_of_the_items_and_the_same_command_does_nothing_twice(
    simulator: Control, tmp_path: Path
) -> None:
    items, results, tenant = tmp_path / "items.jsonl", tmp_path / "results.jsonl", f"t-{uuid4().hex[:8]}"
    items.write_text('"One?"\n{"prompt": "Two?", "id": "second"}\n"Three?"\n', encoding="utf-8")
    command = ("batch", "run", "model:sim-mid", str(items), "-o", str(results), "--tenant", tenant)
    first = await continuo(*command, "--priority", "standard", "--json")
    assert first.code == 0, first.err
    batch = json.loads(first.out)
    assert (batch["state"], batch["tally"]["done"]) == ("done", 3)
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    assert [(line["item"], line.get("id"), line["status"]) for line in lines] == [
        (1, None, "done"),
        (2, "second", "done"),
        (3, None, "done"),
    ]
    assert all(line["outcome"]["text"] for line in lines)
    results.unlink()
    again = await continuo(*command, "--priority", "standard", "--json")
    assert (again.code, json.loads(again.out)) == (0, batch)
    assert len(results.read_text(encoding="utf-8").splitlines()) == 3
    assert len(await simulator.calls("sim-mid")) == 3
    listed = await continuo("batch", "list", "--tenant", tenant, "--json")
    assert [row["id"] for row in json.loads(listed.out)["rows"]] == [batch["id"]]
    table = tmp_path / "results.parquet"
    await continuo("batch", "show", batch["id"], "--tenant", tenant, "-o", str(table))
    rows = [row for _, row in read_rows(table)]
    assert [(row["item"], row["id"], row["text"]) for row in rows] == [
        (line["item"], line.get("id"), line["outcome"]["text"]) for line in lines
    ]
    assert [(json.loads(row["outcome"]), row["error"]) for row in rows] == [(line["outcome"], None) for line in lines]
    other = await continuo("batch", "show", batch["id"], "--tenant", "another")
    assert (other.code, "no batch" in other.err) == (2, True)


async def test_a_mistake_in_a_line_is_told_and_nothing_begins(
    temporal: object, simulator: Control, tmp_path: Path
) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text('"One?"\n{"promt": "Two?"}\n', encoding="utf-8")
    result = await continuo("batch", "run", "model:sim-mid", str(items))
    assert result.code == 2
    assert f"{items}:2: 'promt' is no field of an item" in result.err
    assert await simulator.calls() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--within", "5h"), "--within is that of --provider-batch"),
        (("--provider-batch", "--within", "soon"), "within: 'soon' is not a duration"),
        (("--provider-batch", "--off-peak", "22:00-06:00"), "--off-peak: a provider does its batches when it likes"),
        (("--provider-batch", "--deadline", "5m"), "--deadline is that of a run"),
        (("--provider-batch", "--budget", "-1"), "--budget: -1 is no sum of money"),
    ],
)
async def test_what_a_provider_s_batch_does_not_have_is_told(
    tmp_path: Path, environ: object, options: tuple[str, ...], says: str
) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text('"One?"\n', encoding="utf-8")
    result = await continuo("batch", "run", "model:sim-mid", str(items), *options)
    assert (result.code, says in result.err) == (2, True), result.err
