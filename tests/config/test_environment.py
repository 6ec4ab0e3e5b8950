"""Values from variables, `.env`, files and commands, and how they change while a process runs."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from continuo.config import sources
from continuo.config.environment import Environment
from continuo.errors import InputError

SECRET = "sk-never-shown-0123456789"


def command(folder: Path, text: str) -> str:
    """A command in Python, which runs in `folder` if it stands in the `.env` of that."""
    (folder / "tool.py").write_text(text, encoding="utf-8")
    return f"{sys.executable} -S {folder}/tool.py"


def of(tmp_path: Path, **variables: str) -> Environment:
    return Environment(variables, tmp_path / ".env")


def test_a_variable_counts_more_than_a_file_a_file_more_than_a_command_and_all_more_than_dotenv(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of the file\n", encoding="utf-8")
    (tmp_path / ".env").write_text("A=dotenv\nB_FILE=key\nC_COMMAND=cat key\nD=\n", encoding="utf-8")
    by_command = {"A_COMMAND": command(tmp_path, "print(' printed ')")}
    by_file = {**by_command, "A_FILE": str(tmp_path / "key")}
    for variables, value, origin in (
        ({**by_file, "A": "set"}, "set", "environment"),
        ({**by_file, "A": ""}, "of the file", "file"),
        (by_file, "of the file", "file"),
        ({**by_command, "A_FILE": str(tmp_path / "none")}, "printed", "command"),
        ({}, "dotenv", ".env"),
        ({"A": ""}, "", "environment"),
    ):
        found = of(tmp_path, **variables)
        assert (found["A"], found.origin("A")) == (value, origin)
    # Those of `.env` are relative to its folder.
    assert (found["B"], found["C"], found["D"], found.get("E")) == ("of the file", "of the file", "", None)
    assert {"A", "B", "C", "D"} <= {*found}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("sys.exit(3)", "it ends with code 3"),
        ("pass", "it is empty"),
        ("time.sleep(60)", "it takes longer than 0.5 s"),
        # What it has started ends with it, and so does one that closes its output and stays.
        ("subprocess.Popen(['sleep', '60'])", "it takes longer than 0.5 s"),
        ("os.close(1); time.sleep(60)", "it takes longer than 0.5 s"),
        ("[print('x' * 1000) for _ in iter(int, 1)]", "it prints more than 65,536 bytes"),
    ],
)
def test_a_command_that_fails_leaves_the_last_value_and_one_line_that_repeats_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    broken: str,
    says: str,
) -> None:
    text = f"""
import os, subprocess, sys, time
print({SECRET!r}, file=sys.stderr)
if os.path.exists("broken"):
    {broken}
else:
    print("good")
"""
    (tmp_path / ".env").write_text(f"K_COMMAND={command(tmp_path, text)}\n", encoding="utf-8")
    found = of(tmp_path)
    assert found["K"] == "good"
    (tmp_path / "broken").touch()
    if "longer" in says:
        monkeypatch.setattr(sources, "PATIENCE", 0.5)
    found.read_again()
    assert found["K"] == "good"
    assert caplog.messages == [f"K_COMMAND: {says}; what was read before stays"]
    assert SECRET not in "".join(capfd.readouterr())
    fresh = of(tmp_path)
    assert "K" not in fresh
    monkeypatch.undo()
    (tmp_path / "broken").unlink()
    assert "K" not in fresh, "it is not tried again before it is time"
    fresh.read_again()
    assert fresh["K"] == "good"


def test_a_command_runs_once_however_often_its_value_is_looked_up(tmp_path: Path) -> None:
    text = "print('value'); open('runs', 'a').write('x')"
    (tmp_path / ".env").write_text(f"K_COMMAND={command(tmp_path, text)}\n", encoding="utf-8")
    found = of(tmp_path)
    assert [found["K"] for _ in range(5)] == ["value"] * 5
    assert (tmp_path / "runs").read_text() == "x"
    found.read_again()
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_command_has_no_shell_and_no_input(tmp_path: Path) -> None:
    text = "import sys; print(sys.argv[1:], repr(sys.stdin.read()))"
    found = of(tmp_path, K_COMMAND=f"{command(tmp_path, text)} '$HOME' ; echo $(id)")
    assert found["K"] == "['$HOME', ';', 'echo', '$(id)'] ''"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"K_COMMAND": "vault 'read"}, "K_COMMAND: No closing quotation; write a program"),
        ({"K_COMMAND": "''  "}, "K_COMMAND: it cannot be started"),
        ({"K_COMMAND": "/nowhere/vault read"}, "K_COMMAND: it cannot be started"),
        ({"K_FILE": "binary"}, "K_FILE: not UTF-8 text"),
        ({"K_FILE": "none"}, "K_FILE: there is no such file"),
        ({"K_FILE": "/dev/zero"}, "K_FILE: there is no such file"),
        ({"K_FILE": "large"}, "K_FILE: it has more than 65,536 bytes"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, variables: Mapping[str, str], says: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in variables.items()))
    try:
        assert of(tmp_path).get("K") is None
    except InputError as error:
        logging.getLogger("test").warning("%s", error)
    [line] = caplog.messages
    assert line.startswith(says)


class Learner:
    """Has what it was told, and what could be looked up meanwhile."""

    def __init__(self, found: Environment) -> None:
        self.found = found
        self.told: list[tuple[str, str]] = []
        found.learned_by(self.learn)

    def learn(self, environ: Mapping[str, str]) -> None:
        self.told.append((environ["K"], self.found["K"]))
        raise InputError("a learner that fails keeps nobody from the new value")


def test_a_new_value_is_learned_before_it_can_be_looked_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text("old", encoding="utf-8")
    found = of(tmp_path, K_FILE=str(tmp_path / "key"))
    learner = Learner(found)
    assert found["K"] == "old"
    (tmp_path / "key").write_text("new", encoding="utf-8")
    assert found["K"] == "old"
    found.read_again()
    assert (found["K"], learner.told) == ("new", [("new", "old")])
    (tmp_path / "key").write_bytes(b"\xff")
    found.read_again()
    assert found["K"] == "new"
    assert "K_FILE: not UTF-8 text; save the file as UTF-8; what was read before stays" in caplog.messages


def test_dotenv_is_read_again_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("K=old\n", encoding="utf-8")
    found = of(tmp_path)
    assert found["K"] == "old"
    (tmp_path / "key").write_text("newer", encoding="utf-8")
    (tmp_path / ".env").write_text("K_FILE=key\n", encoding="utf-8")
    found.read_again()
    assert found["K"] == "newer"
