"""What docs/evaluation.md shows is right."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from continuo.authoring.golden_sets import load_set
from continuo.authoring.library import Library
from continuo.starters.app import app
from continuo.starters.evaluation.items import read_golden
from continuo.starters.evaluation.scoring import scoring_patterns
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
SET, ACTION = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
[ITEMS] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_of_a_set_is_right_and_can_run_here(tmp_path: Path, environ: object) -> None:
    (tmp_path / "support.yaml").write_text(SET, encoding="utf-8")
    (tmp_path / "support.jsonl").write_text(ITEMS, encoding="utf-8")
    file = load_set("support", tmp_path)
    assert len(read_golden(file)) == 3
    library = Library()
    for pattern in {file.golden_set.pattern, *scoring_patterns(file.golden_set)}:
        assert pattern is not None
        assert library.step(pattern)


RUN = [
    step["run"] for step in yaml.safe_load(ACTION)["jobs"]["gate"]["steps"] if "continuo eval" in step.get("run", "")
]


@pytest.mark.parametrize("command", [*COMMANDS.splitlines(), *RUN, *re.findall(r"`(continuo eval [^`]*)`", PAGE)])
def test_every_command_is_one(command: str) -> None:
    words = shlex.split(command.partition(" -- ")[2] or command)[1:]
    function, arguments, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert function.__name__ == words[1]
    assert arguments.args == ("support",)
