"""What docs/feedback.md shows is right and runs."""

import re
import shlex
from collections.abc import Coroutine
from pathlib import Path

import pytest
import yaml

from continuo.authoring.files import NamedPattern
from continuo.patterns import Adaptive, Split
from continuo.starters.app import app
from continuo.wire.feedback import Body, value_of
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8")
PATTERN, ADAPTIVE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CURL, *SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_its_feedback_is_taken() -> None:
    [body] = re.findall(r"-d '(.*)'", CURL, re.DOTALL)
    assert value_of(Body.model_validate_json(body)) == (0, "thumb")


@pytest.mark.parametrize("command", [line for block in SHELL for line in block.splitlines()])
@pytest.mark.usefixtures("temporal")
async def test_every_command_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "help.yaml").write_text(PATTERN, encoding="utf-8")
    (tmp_path / "answers.yaml").write_text(ADAPTIVE, encoding="utf-8")
    monkeypatch.setenv("CONTINUO_PATTERNS", str(tmp_path))
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    function, arguments, _ = app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
    if command.startswith("continuo rate --"):
        # It has an event loop of its own.
        return
    result = function(*arguments.args, **arguments.kwargs)
    assert (await result if isinstance(result, Coroutine) else result) == 0


@pytest.mark.parametrize(("text", "adaptive"), [(PATTERN, False), (ADAPTIVE, True)])
def test_its_patterns_are_splits(text: str, adaptive: bool) -> None:
    split = NamedPattern.model_validate(yaml.safe_load(text)).pattern
    assert isinstance(split, Split)
    assert (split.adaptive is not None) == adaptive


def test_its_defaults_are_those_of_the_pattern() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*?\(([\d.]+)(?:: never)?\)", PAGE, re.MULTILINE)
    assert {name: float(value) for name, value in rows} == {
        name: float(field.default) for name, field in Adaptive.model_fields.items()
    }
