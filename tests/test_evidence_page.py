"""What docs/evidence.md shows is read and runs."""

import gzip
import re
from pathlib import Path

import pytest

from benchmarks.evidence.claim import Claim
from benchmarks.evidence.claim import written as put
from benchmarks.evidence.tables import on_tables
from continuo.evaluation.table import read_table
from tests.support.commands import continuo
from tests.support.repository import ROOT
from tests.support.tables import made, pattern_file, written

PATH = ROOT / "docs" / "evidence.md"
PAGE = PATH.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_both_forms_of_a_line_are_one_table(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    path.write_text("".join(blocks("json")), encoding="utf-8")
    [question] = read_table(path)
    assert (sorted(question.models), question.models["mini"].answer) == (["mini", "premium"], "Goethe.")


@pytest.mark.parametrize("command", [line for block in blocks("bash") for line in block.splitlines()])
async def test_each_command_runs(
    tmp_path: Path, environ: object, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, made(400, 1)).rename("answers.jsonl")
    Path("patterns").mkdir()
    steps = [{"kind": "call", "model": f"sim-{name}"} for name in ("mini", "premium")]
    pattern_file(Path("patterns"), {"kind": "cascade", "steps": steps}, "cascade")
    name, *arguments = command.split()
    assert name == "continuo"
    # Without it a stack of its own is started, which has a test of its own.
    offline = ["--offline"] if "replay" in arguments else []
    result = await continuo(*arguments, *offline)
    assert result.code == 0, result.err


def test_claims_are_put_into_their_part_of_the_page_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- tables -->\nold\n<!-- end -->\nb\n<!-- simulated -->\nkept\n<!-- end -->\n", "utf-8")
    put(page, "tables", [Claim("saves 9 %", r"\1 saved", "here")])
    assert page.read_text("utf-8") == (
        "a\n<!-- tables -->\n| claim | measured | conditions |\n|---|---|---|\n| saves 9 % | \\1 saved | here |\n"
        "<!-- end -->\nb\n<!-- simulated -->\nkept\n<!-- end -->\n"
    )


def test_each_claim_is_measured_on_tables(tmp_path: Path) -> None:
    names = ("llama3.1-8b", "llama3.1-70b", "llama3.1-405b", "gpt-4o-mini", "gpt-4o")
    questions = [
        question.model_copy(update={"models": dict(zip(names, answers[:3] + answers[1:], strict=True))})
        for question in made(160, 2)
        for answers in [list(question.models.values())]
    ]
    table = written(tmp_path, questions)
    (tmp_path / "made.jsonl.gz").write_bytes(gzip.compress(table.read_bytes()))
    claims = list(on_tables(tmp_path))
    assert len(claims) == 13
    assert all("points" in claim.measured or "so little" in claim.measured for claim in claims)
