"""What docs/project.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest

from continuo.config.catalog import load_catalog
from tests.starters.test_init import FILES
from tests.support.commands import continuo
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "project.md").read_text(encoding="utf-8")
HERE, OWN_CODE = PAGE.split("\n## Your own code\n")
EXAMPLE = ROOT / "examples" / "own-project"
BLOCKS = re.findall(r"```sh\n(.*?)```", HERE, re.DOTALL)


@pytest.mark.usefixtures("worker", "simulator", "shop")
async def test_every_command_works_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    install, *others = "".join(BLOCKS).splitlines()
    assert install.startswith("pip install ")
    for command, *arguments in map(shlex.split, others):
        if command == "cd":
            monkeypatch.chdir(*arguments)
        else:
            result = await continuo(*arguments)
            assert result.code == 0, result


def test_the_catalog_is_a_right_one(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", HERE, re.DOTALL)
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    catalog = load_catalog(tmp_path / "catalog.toml")
    assert catalog.providers["openai"].base_url == "https://api.openai.com/v1"
    assert catalog.aliases["premium"] == ("ours-large", "sim-premium")


def test_every_file_of_a_project_is_named() -> None:
    tops = {Path(name).parts[0] for name in FILES}
    assert [name for name in tops if name not in PAGE] == []


@pytest.mark.parametrize("shown", re.findall(r"```(?:toml|yaml|python)\n(.*?)```", OWN_CODE, re.DOTALL))
def test_what_is_shown_of_own_code_is_the_example_that_is_tested(shown: str) -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.suffix in (".toml", ".yaml", ".py")]
    assert [path for path in files if shown in path.read_text(encoding="utf-8")]
