"""`continuo eval` on the real server."""

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from continuo.testing.processes import Control
from tests.support.commands import Result, continuo

SET = "description: Mine.\nitems: items.jsonl\npattern: model:sim-mid\nscores: [{kind: exact}]\n"
ITEMS = (
    {"prompt": "One?", "expected": "yes", "tags": ["short", "first"]},
    {"prompt": "Two?", "any_of": ["no", "yes"], "tags": ["short"]},
    {"prompt": "Three?", "expected": "no", "id": "third"},
)


class Sets:
    """A folder of golden sets, with one of a name of its own, and a tenant of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"s-{uuid4().hex[:8]}"
        self.write(SET, ITEMS)

    def write(self, text: str, items: Sequence[object]) -> None:
        (self.folder / f"{self.name}.yaml").write_text(text, encoding="utf-8")
        lines = "".join(f"{json.dumps(item)}\n" for item in items)
        (self.folder / "items.jsonl").write_text(lines, encoding="utf-8")

    async def eval(self, command: str, *arguments: str) -> Result:
        return await continuo("eval", command, self.name, *arguments, CONTINUO_EVALS=str(self.folder))

    async def run(self, *arguments: str) -> Result:
        return await self.eval("run", "--priority", "standard", "--tenant", self.name, *arguments)


@pytest.fixture
def sets(tmp_path: Path, environ: object) -> Sets:
    return Sets(tmp_path)


@pytest.mark.usefixtures("worker")
async def test_each_pattern_answers_each_item_once_and_the_report_says_how_well(
    sets: Sets, simulator: Control
) -> None:
    await simulator.behave("sim-mid", text="yes")
    await simulator.behave("sim-premium", text="no")
    result = sets.folder / "result.json"
    command = ("--pattern", "model:sim-mid", "--pattern", "model:sim-premium", "--json", str(result))
    first = await sets.run(*command)
    assert first.code == 0, first.err
    written = json.loads(result.read_text(encoding="utf-8"))
    mid, premium = written["patterns"]
    assert [answer["scores"]["exact"]["value"] for answer in mid["answers"]] == [1, 1, 0]
    assert [answer["scores"]["exact"]["value"] for answer in premium["answers"]] == [0, 1, 1]
    assert mid["whole"]["scores"]["exact"]["mean"] == pytest.approx(2 / 3)
    assert {tag: summary["items"] for tag, summary in mid["by_tag"].items()} == {"short": 2, "first": 1}
    assert mid["by_tag"]["short"]["scores"]["exact"]["mean"] == 1
    assert mid["whole"]["cost_usd"] > 0
    assert "model:sim-mid: all answers are simulated" in first.out
    assert "line 3 (third)" in first.out
    assert "  expected: no" in first.out
    again = await sets.run(*command)
    assert again.code == 0, again.err
    assert {**json.loads(result.read_text("utf-8")), "ended": None} == {**written, "ended": None}
    assert len(await simulator.calls()) == 6
