"""What the README shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.authoring.files import load_pattern
from continuo.starters.commands.init import init
from continuo.testing.processes import Control, job, outcome
from tests.support.commands import continuo
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


COMMANDS = [line for line in blocks("sh")[2].splitlines() if line.startswith("continuo ")]


def test_the_two_commands_of_the_set_up_are_targets_of_the_makefile() -> None:
    assert blocks("sh")[0].split("\n") == ["make demo", "make test", ""]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo: setup" in makefile
    assert "\ntest: setup" in makefile


@pytest.mark.usefixtures("worker", "shop")
@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_of_the_readme_works(
    simulator: Control, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = await continuo(*shlex.split(command)[1:])
    assert found.code == 0, found
    assert found.out


@pytest.mark.usefixtures("worker", "simulator")
async def test_the_pattern_of_the_readme_runs(client: Client, tmp_path: Path) -> None:
    [text] = blocks("yaml")
    file = tmp_path / "my.yaml"
    file.write_text(text, encoding="utf-8")
    assert (await outcome(client, job(load_pattern(file).pattern))).tier == 1
