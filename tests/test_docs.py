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
from continuo.config.catalog import Catalog
from continuo.extra import Extra
from continuo.messages import Message, ModelRequest
from continuo.parameters import Demand, Hint, Tuning
from continuo.patterns import KINDS, Step
from continuo.patterns.choices import Classifier, Combine
from continuo.patterns.walk import specs
from continuo.providers.protocol import wire_protocol
from continuo.starters.commands.explain import explain
from continuo.starters.commands.recommend import recommend
from tests.continuo.providers.conftest import PROTOCOLS
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


@pytest.mark.parametrize(("row", "kind"), [("demands", Demand), ("tuning", Tuning), ("hints", Hint)])
def test_every_parameter_stands_in_the_row_of_its_rule(row: str, kind: Any) -> None:
    [line] = re.findall(rf"^\| {row} \|(.*?)\|", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", line) == [*get_args(kind)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_protocol_does_not_have_is_not_sent(protocol: str) -> None:
    """Each hint is in the body, or told to be missing; each other parameter is refused where it is missing."""
    [line] = re.findall(rf"^\| `{protocol}` \|(.*)\|", PAGE, re.MULTILINE)
    missing = {*re.findall(r"`(\w+)`", line)}
    catalog = Catalog.model_validate({"providers": {"p": {"protocol": protocol}}, "models": {"m": {"provider": "p"}}})
    model = catalog.models["m"].model_copy(update={"logprobs": protocol != "anthropic"})
    embedding = {"embed", "dimensions", "tokens", "segments"}
    assert missing - {*get_args(Hint)} == catalog.refused_by(model) - embedding
    hints = {"verbosity": "low", "metadata": {"a": "b"}, "user": "ada", "cache_control": "1h", "prompt_cache_key": "k"}
    plain = ModelRequest(messages=(Message(role="user", content="Hello"),), extra=Extra(openai={"store": True}))

    def body(request: ModelRequest) -> object:
        return wire_protocol(protocol).encode("http://x", "m", request, stream=False).body

    assert {name for name, hint in hints.items() if body(plain.model_copy(update={name: hint})) == body(plain)} == {
        name for name in missing if name in hints
    }


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
