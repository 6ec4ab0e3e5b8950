"""`continuo tune`: a curve, a change of the file, and the change made."""

import json
from pathlib import Path

import pytest

from tests.support.commands import continuo
from tests.support.tables import made, pattern_file, written

CASCADE = {"kind": "cascade", "steps": [{"kind": "call", "model": f"sim-{name}"} for name in ("mini", "premium")]}


async def test_the_change_is_shown_and_only_made_with_apply(tmp_path: Path, environ: object) -> None:
    table, pattern = written(tmp_path, made(400, 1)), pattern_file(tmp_path, CASCADE)
    before = pattern.read_text(encoding="utf-8")
    command = ("tune", str(pattern), "--table", str(table), "--max-loss", "3")
    shown = await continuo(*command)
    assert (shown.code, pattern.read_text(encoding="utf-8")) == (0, before), shown.err
    assert '+{"description": "Tried on a table.", "pattern": {"kind": "cascade", thresholds: [0.' in shown.out
    curve = json.loads((await continuo(*command, "--apply", "--json")).out)
    assert f"thresholds: {curve['chosen']['setting']}" in pattern.read_text(encoding="utf-8")
    replayed = await continuo("eval", "replay", str(table), "--pattern", str(pattern), "--offline")
    assert replayed.code == 0, replayed.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("support", "'support' is no pattern of your own; name its YAML file"),
        ("nothing", "'nothing' is no pattern of your own"),
        ("tried.yaml", "it has neither one cascade of two to four calls, nor"),
    ],
)
async def test_what_cannot_be_tuned_is_told(tmp_path: Path, environ: object, name: str, says: str) -> None:
    table, pattern = written(tmp_path, made(3)), pattern_file(tmp_path, {"kind": "call", "model": "sim-mini"})
    result = await continuo("tune", str(pattern) if name == pattern.name else name, "--table", str(table))
    assert (result.code, says in result.err) == (2, True), result.err
