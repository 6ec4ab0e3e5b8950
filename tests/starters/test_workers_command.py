"""`continuo workers`: a pool alone, with the slots that it was given."""

import json
from pathlib import Path
from typing import get_args

import pytest

from continuo.config.settings import Settings
from continuo.jobs import Priority
from continuo.testing.processes import TemporalServer, python, running
from tests.support.commands import continuo

PRIORITIES: tuple[Priority, ...] = get_args(Priority)


async def test_a_pool_has_the_slots_of_its_option_whatever_the_environment_says(
    temporal: TemporalServer, tmp_path: Path
) -> None:
    pool = python(
        *("continuo", "workers", "--priority", "batch", "--slots", "3"),
        ready="pool ready",
        log=tmp_path / "pool.log",
        CONTINUO_BATCH_SLOTS="7",
    )
    async with running(pool):
        told = json.loads(pool.ready_line)
    assert (told["priority"], told["slots"]) == ("batch", 3)
    assert pool.process is not None
    assert pool.process.returncode == 0


def test_the_pools_share_a_hundred_slots_unless_the_environment_says_otherwise(
    environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [Settings().slots(priority) for priority in PRIORITIES] == [50, 30, 20]
    monkeypatch.setenv("CONTINUO_BATCH_SLOTS", "7")
    assert [Settings().slots(priority) for priority in PRIORITIES] == [50, 30, 7]


@pytest.mark.parametrize(
    ("command", "variable", "says"),
    [
        ("workers --priority urgent", "", 'Invalid value "urgent" for --priority. Choose from: "critical"'),
        ("workers --slots 0", "", 'Invalid value "0" for --slots. Must be >= 1.'),
        ("models", "CONTINUO_BATCH_SLOTS=many", "CONTINUO_BATCH_SLOTS=many: Input should be a valid integer"),
    ],
)
async def test_a_wrong_option_or_setting_is_one_line_that_names_it_with_exit_code_2(
    environ: pytest.MonkeyPatch, command: str, variable: str, says: str
) -> None:
    found = await continuo(*command.split(), **dict([variable.split("=")] if variable else []))
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"error: {says}")
    assert found.err.count("\n") == 1
