"""What docs/python.md shows is what happens; its fixtures are run by test_own_project.py."""

import ast
import re
from collections.abc import Awaitable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from continuo.client import Continuo, Options, Run
from continuo.client.continuo import Continuo as Client
from continuo.starters.commands.init import init
from tests.client.scripts import script
from tests.support.media import png, wav
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SCRIPTS = [block for block in BLOCKS if "Continuo.connect()" in block]
FIXTURES = [block for block in BLOCKS if "pytest_plugins" in block or "def test_" in block]
PIECES = [block for block in BLOCKS if block not in SCRIPTS + FIXTURES]

pytestmark = pytest.mark.usefixtures("worker", "simulator", "shop")


@pytest.mark.parametrize("text", SCRIPTS)
async def test_every_script_works(text: str) -> None:
    assert "premium" in await script(text)


async def test_every_piece_works_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    init(tmp_path)
    for name, content in (("photo.png", png()), ("talk.wav", wav())):
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    async with Continuo.connect() as continuo:
        names: dict[str, Any] = {"continuo": continuo}
        for piece in PIECES:
            await evaluated(compile(piece, "docs/python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    printed = capsys.readouterr().out
    assert "did you mean 'support'?" in printed
    assert "reserve inventory undone" in printed


async def evaluated(code: CodeType, names: dict[str, Any]) -> None:
    ending: Awaitable[None] | None = eval(code, names)
    if ending is not None:
        await ending


def test_every_option_and_every_method_is_named() -> None:
    methods = [name for kind in (Client, Run) for name in vars(kind) if not name.startswith("_")]
    assert [name for name in [*Options.__annotations__, *methods] if name not in PAGE] == []
