"""What docs/patterns.md shows is valid and runs."""

import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from cyclopts import App
from pydantic import TypeAdapter

from continuo.authoring.files import NamedPattern
from continuo.patterns import KINDS, Step
from continuo.patterns.choices import Classifier, Combine
from continuo.patterns.walk import specs
from continuo.starters.commands.explain import explain
from continuo.starters.commands.recommend import recommend
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
STEP: TypeAdapter[Step] = TypeAdapter(Step)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def loaded(text: str) -> Step:
    value = yaml.safe_load(text)
    return NamedPattern.model_validate(value).pattern if "description" in value else STEP.validate_python(value)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_example_is_a_valid_pattern(text: str) -> None:
    assert loaded(text)


@pytest.mark.parametrize("code", blocks("python"))
def test_every_piece_of_python_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    assert "by: complexity" in capsys.readouterr().out


def test_every_pattern_has_a_section_with_an_example() -> None:
    shown = {type(spec) for text in blocks("yaml") for spec in specs(loaded(text))}
    assert shown == set(KINDS)
    for kind in KINDS:
        assert f"## {kind.model_fields['kind'].default}\n" in PAGE


def test_every_choice_is_named() -> None:
    choices: list[Any] = [*get_args(get_args(get_args(Classifier)[0])[0]), *get_args(Combine)]
    assert [name for choice in choices if (name := choice.model_fields["kind"].default) not in PAGE] == []


@pytest.mark.parametrize("command", blocks("sh")[0].splitlines())
def test_every_command_works(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTINUO_SIMULATED", "1")
    monkeypatch.setenv("CONTINUO_SIM_URL", "http://127.0.0.1:1")
    (tmp_path / "my.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    app = App(name="continuo", version_flags=())
    for each in (explain, recommend):
        app.command(each)
    arguments = shlex.split(command)[1:]
    assert app(arguments, exit_on_error=False, print_error=False, result_action="return_value") == 0
    assert capsys.readouterr().out
