"""What docs/keys.md shows is what happens."""

import ast
import asyncio
import json
import re
import shlex
from collections.abc import Awaitable
from pathlib import Path

import pytest
from cyclopts import App

from continuo.access import limits, oidc, ring
from continuo.protection.api_keys import SECRET, ApiKey
from continuo.starters.commands.keys import keys
from tests.support.commands import typed
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [text] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.fixture
def data(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))


@pytest.mark.usefixtures("data")
def test_every_command_works_and_the_piece_of_python_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, id = "", ""
    for command in block("sh").splitlines():
        name, *arguments = shlex.split(command.replace("KEY", id))
        assert name == "continuo"
        if "revoke" in arguments:
            assert piece(secret, capsys).startswith("acme 59")
        assert typed(monkeypatch, *arguments) == 0, capsys.readouterr()
        printed = capsys.readouterr().out
        if SECRET.fullmatch(printed.strip()):
            secret = printed.strip()
            id = secret.split("_")[1]
    with pytest.raises(PermissionError, match="no key"):
        piece(secret, capsys)


def piece(secret: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the Python of the page prints."""
    code = compile(block("python"), "docs/keys.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def run() -> None:
        ending: Awaitable[None] = eval(code, {"secret": secret})
        await ending

    asyncio.run(run())
    return capsys.readouterr().out


def test_every_option_of_a_key_is_named() -> None:
    app: App = keys["create"]
    options = {name for argument in app.assemble_argument_collection() for name in argument.names}
    missing = [name for name in options if name.startswith("--") and name not in PAGE and name != "--name"]
    assert missing == []


def test_the_claims_are_those_of_a_key() -> None:
    claims = json.loads(block("json"))
    assert {*claims[oidc.CLAIM]} <= {*ApiKey.model_fields} - oidc.OURS


def test_its_figures_are_those_of_the_code() -> None:
    assert f"`{SECRET.pattern}`" in PAGE
    assert f"a lease of {limits.LEASE:.0f} seconds" in PAGE
    assert f"clocks may differ by {oidc.LEEWAY:.0f} seconds" in PAGE
    assert f"every {oidc.FRESH / 60:.0f} minutes" in PAGE
    assert ring.STALE < 5
