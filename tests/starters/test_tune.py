"""`continuo tune`: a curve, a change of the file, and the change made."""

import json
from pathlib import Path

import pytest

from continuo.evaluation.tuning import halves
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


async def test_what_the_other_half_shows_to_lose_too_much_is_not_applied(tmp_path: Path, environ: object) -> None:
    training, rest = halves(made(400, 1))
    sure = {"confidence": 1.0, "correct": 0.0}
    turned = [
        one.model_copy(update={"models": {**one.models, "sim-mini": one.models["sim-mini"].model_copy(update=sure)}})
        for one in rest
    ]
    table, pattern = written(tmp_path, [*training, *turned]), pattern_file(tmp_path, CASCADE)
    before = pattern.read_text(encoding="utf-8")
    refused = await continuo("tune", str(pattern), "--table", str(table), "--max-loss", "3", "--apply")
    assert (refused.code, pattern.read_text(encoding="utf-8")) == (1, before)
    assert "gate: accuracy on the other half, against sim-premium: 0." in refused.err
    assert "a significant loss of 0.03 or more" in " ".join(refused.err.split())
    assert "is not changed: allow more with --max-loss" in " ".join(refused.err.split())


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
