"""What docs/messages.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from continuo.decisions import media_tokens, media_type
from continuo.parts import MAX_MEDIA_BYTES
from continuo.patterns import Step
from continuo.testing.processes import Control
from tests.support.commands import continuo
from tests.support.media import PDF, png, wav
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    text: str = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]
    return text


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("command", block("sh").splitlines())
async def test_every_command_works(simulator: Control, command: str, tmp_path: Path) -> None:
    files = {"photo.png": png(), "later.png": png(seed=1), "talk.wav": wav(), "paper.pdf": PDF, "notes.txt": b"Hi"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        found = await continuo(*shlex.split(command)[1:])
    assert found.code == 0, found
    assert "simulated" in found.out


def test_the_piece_of_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("python"), {})
    assert capsys.readouterr().out == "What is it? A cat.\n"


def test_its_pattern_can_be_read() -> None:
    step = TypeAdapter[Step](Step).validate_python(yaml.safe_load(block("yaml")))
    assert list(step.nested()) == ["transcript", "summary"]


def test_its_figures_are_those_of_the_code() -> None:
    least, most = media_tokens.IMAGE
    assert f"a token for {media_tokens.PIXELS} pixels, at least {least:,} and at most {most:,}" in PAGE
    assert f"{media_tokens.SECOND} tokens a second" in PAGE
    assert f"{media_type.SLOWEST * 8 // 1000} kbit/s" in PAGE
    assert f"{media_tokens.PAGE:,} tokens a page of PDF (of {media_type.SMALLEST_PAGE:,} bytes" in PAGE
    assert f"{MAX_MEDIA_BYTES // 1_000_000} MB" in PAGE
