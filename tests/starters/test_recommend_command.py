"""`continuo recommend`, by flags and by questions."""

import io
import json

import pytest
from cyclopts import App, CycloptsError

from continuo.errors import InputError
from continuo.starters.commands.recommend import recommend

app = App(name="continuo", version_flags=())
app.command(recommend)


def run(*arguments: str) -> object:
    return app(["recommend", *arguments], exit_on_error=False, print_error=False, result_action="return_value")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_flags_are_answered_with_the_reason_an_example_and_the_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--accuracy", "--team", "3", "--complexity", "low") == 0
    pattern, deployment = capsys.readouterr().out.splitlines()
    assert pattern.startswith("ensemble: several models check each other for accuracy (see: continuo explain ")
    assert deployment == "deployment: one process: a team of fewer than 5 and a simple system: the least to run"


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--repetition", "0.4", "--requests-per-second", "20000", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [advice["use"] for advice in found["patterns"]] == ["cached"]
    assert found["deployment"]["use"] == "split services"


def test_without_flags_a_person_is_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["n", "y", "", "0.5", "", "", "", "8", "high", "20000", "", ""]
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(answers) + "\n"))
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Does the load come and go?" in " ".join(lines)
    assert [line.split(": ")[0] for line in lines[-2:]] == ["cached", "deployment"]
    assert "split services" in lines[-1]


def test_without_flags_or_a_terminal_the_error_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError, match="give what is known, as in: continuo recommend --accuracy"):
        run()


def test_a_number_out_of_range_is_told_with_its_field() -> None:
    with pytest.raises(InputError, match="repetition: "):
        run("--repetition", "40")


def test_a_word_that_is_no_choice_is_told() -> None:
    with pytest.raises(CycloptsError, match="complexity"):
        run("--complexity", "medium")
