"""An evaluation whose pool and command are killed comes to the same, paid once. `make chaos` runs it."""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Any

import pytest

from continuo.testing.processes import kill, until
from continuo.workers.local.processes import module
from tests.support.world import World

ITEMS, WINDOW, TENANT = 120, 20, "killed"
SET = f"""\
description: Killed.
items: killed.jsonl
pattern: model:sim-mid
scores: [{{kind: exact}}]
window: {WINDOW}
"""


async def begun(folder: Path) -> Process:
    command = module("continuo", "eval", "run", "killed", "--priority", "standard", "--tenant", TENANT)
    environ = {**os.environ, "CONTINUO_EVALS": str(folder)}
    with (folder / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(*command, env=environ, stdout=DEVNULL, stderr=log)


async def ended(folder: Path) -> Any:
    assert await asyncio.wait_for((await begun(folder)).wait(), 200) == 0, (folder / "log").read_text("utf-8")
    report = json.loads((folder / "results" / "killed" / "last.json").read_text(encoding="utf-8"))
    return {**report, "ended": None}


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_an_evaluation_that_is_killed_three_times_gives_the_same_report_and_pays_each_item_once(
    world: World, tmp_path: Path
) -> None:
    await world.simulator.behave("sim-mid", text="yes")
    (tmp_path / "killed.yaml").write_text(SET, encoding="utf-8")
    items = [{"prompt": f"Question {n}?", "expected": "yes" if n % 4 else "no"} for n in range(ITEMS)]
    (tmp_path / "killed.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
    pool = await world.pool()
    for share in (1, 2, 3):
        command = await begun(tmp_path)

        async def answered() -> bool:
            return len(await world.simulator.calls("sim-mid")) >= share * ITEMS // 5  # noqa: B023

        await until(answered, timeout=200, every=0.2)
        command.kill()
        await command.wait()
        await kill(pool)
        pool = await world.pool()
    assert not (tmp_path / "results").exists()
    report = await ended(tmp_path)
    assert await ended(tmp_path) == report
    [tried] = report["patterns"]
    assert (tried["whole"]["items"], tried["whole"]["failed"]) == (ITEMS, 0)
    assert [answer["scores"]["exact"]["value"] for answer in tried["answers"]] == [
        float(n % 4 > 0) for n in range(ITEMS)
    ]
    # What was under way when a pool died is asked again, and nothing else.
    assert ITEMS <= len(await world.simulator.calls("sim-mid")) <= ITEMS + 3 * WINDOW
    database = world.journal()
    [row] = await database.read("SELECT COUNT(*) AS rows FROM ledger WHERE tenant = ?", (TENANT,))
    await database.aclose()
    assert row["rows"] == ITEMS
