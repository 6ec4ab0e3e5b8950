"""`continuo workers`: a pool alone, with the slots that it was given."""

import json
from pathlib import Path

import pytest

from continuo.settings import Settings
from tests.starters.test_cli import continuo
from tests.support import TemporalServer, python, running


@pytest.mark.parametrize(("arguments", "slots"), [((), 7), (("--slots", "3"), 3)])
async def test_a_pool_has_as_many_slots_as_the_environment_says_and_an_option_wins(
    temporal: TemporalServer, tmp_path: Path, arguments: tuple[str, ...], slots: int
) -> None:
    pool = python(
        *("starters", "workers", "--priority", "batch", *arguments),
        ready="pool ready",
        log=tmp_path / "pool.log",
        CONTINUO_BATCH_SLOTS="7",
    )
    async with running(pool):
        told = json.loads(pool.ready_line)
    assert (told["priority"], told["slots"]) == ("batch", slots)
    assert pool.process is not None
    assert pool.process.returncode == 0


def test_the_pools_share_a_hundred_slots_unless_told_otherwise(environ: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert [settings.slots(priority) for priority in ("critical", "standard", "batch")] == [50, 30, 20]


@pytest.mark.parametrize(
    ("command", "variable", "says"),
    [
        ("workers --priority urgent", "", 'Invalid value "urgent" for --priority. Choose from: "critical"'),
        ("workers --slots 0", "", 'Invalid value "0" for --slots. Must be >= 1.'),
        ("workers", "CONTINUO_BATCH_SLOTS=many", "CONTINUO_BATCH_SLOTS=many: Input should be a valid integer"),
        ("models", "CONTINUO_STANDARD_SLOTS=0", "CONTINUO_STANDARD_SLOTS=0: Input should be greater than or equal to"),
        ("run support hi", "CONTINUO_SIMULATED=si", "CONTINUO_SIMULATED=si: Input should be a valid boolean"),
    ],
)
async def test_a_wrong_option_or_setting_is_one_line_that_names_it_with_exit_code_2(
    environ: pytest.MonkeyPatch, command: str, variable: str, says: str
) -> None:
    found = await continuo(*command.split(), **dict([variable.split("=")] if variable else []))
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"error: {says}")
    assert found.err.count("\n") == 1
