"""`continuo init` makes a project, or nothing."""

from pathlib import Path

import pytest

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from tests.support.commands import typed

FILES = {
    ".env.example", "Dockerfile", "config/catalog.toml", "config/guardrails.toml", "config/tenants.toml", "conftest.py",
    "continuo.toml", "examples/order-antarctica.json", "examples/order.json", "examples/question.txt",
    "patterns/assistant.yaml",
    "tests/test_assistant.py",
}  # fmt: skip


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CATALOG", "TENANTS", "GUARDRAILS", "PATTERNS"):
        monkeypatch.delenv(f"CONTINUO_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("arguments", [[], ["."], ["new"], ["a/new one"]])
def test_a_project_is_made_here_or_in_a_folder_that_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert typed(monkeypatch, "init", *arguments) == 0
    folder = tmp_path.joinpath(*arguments)
    assert files(folder) == FILES
    assert "continuo run assistant --input examples/question.txt" in capfd.readouterr().out
    monkeypatch.chdir(folder / "patterns")
    assert Settings().catalog == folder / "config" / "catalog.toml"
    library = Library()
    assert library.step("assistant").kind == "fallback"
    assert library.tenants.of("anybody").weight == 1


def test_what_lies_there_already_stays_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ["workflows/__init__.py", "patterns/__init__.py", "tests/test_mine.py", "README.md"]
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert typed(monkeypatch, "init") == 0
    assert files(tmp_path) == FILES | set(mine)


def test_a_copy_of_the_example_of_keys_is_a_right_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTINUO_SIMULATED", raising=False)
    typed(monkeypatch, "init")
    (tmp_path / ".env.example").rename(tmp_path / ".env")
    assert Library().step("assistant").kind == "fallback"


@pytest.mark.parametrize("name", ["continuo.toml", "tests/test_assistant.py", "Dockerfile"])
def test_a_file_that_is_there_is_not_overwritten_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    # A link that leads nowhere is one too.
    (tmp_path / name).symlink_to("nowhere")
    before = set(tmp_path.rglob("*"))
    assert typed(monkeypatch, "init") == 2
    assert f"error: {name} exists and is not overwritten; name another folder: continuo init FOLDER\n" == (
        capfd.readouterr().err
    )
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("blocker", ["patterns", "tests"])
def test_what_was_written_is_removed_when_the_rest_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], blocker: str
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / blocker).write_text("a file where a folder should be", encoding="utf-8")
    assert typed(monkeypatch, "init", "new") == 2
    err = capfd.readouterr().err
    assert err.startswith("error: cannot make the project: ")
    assert err.count("\n") == 1
    assert files(tmp_path) == {f"new/{blocker}"}


def test_a_folder_that_is_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    assert typed(monkeypatch, "init", "taken") == 2
    assert "taken" in capfd.readouterr().err
    assert files(tmp_path) == {"taken"}
