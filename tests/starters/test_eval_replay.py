"""`continuo eval replay`: the same decisions by real runs as by rules alone."""

import json
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.evaluation.replay import taken
from continuo.starters.replaying import run_batch, serve
from continuo.testing.processes import Control
from continuo.workers.pool import pool
from tests.support.commands import continuo
from tests.support.tables import made, pattern_file, written

CASCADE = {"kind": "cascade", "steps": [{"kind": "call", "model": f"sim-{name}"} for name in ("mini", "premium")]}
ROUTED = {
    "kind": "route",
    "by": {"kind": "learned", "weights": {"tried": {"one": 3, "digits": -1}, "best": {"digits": 1}}},
    "branches": {"tried": CASCADE, "best": CASCADE["steps"][1]},
}


async def test_real_runs_decide_as_the_table_alone_does(client: Client, simulator: Control, tmp_path: Path) -> None:
    questions = made(6, 3)
    path = str(pattern_file(tmp_path, ROUTED))
    library = Library()
    await serve(questions)
    async with pool(client, library, "batch", 20):
        went = await run_batch(library, path, questions)
    assert went == [taken(library.step(path), question) for question in questions]
    assert {one.model for one in went} == {"sim-mini", "sim-premium"}


async def test_offline_it_tells_what_is_saved_and_lost_beside_the_random_mix(tmp_path: Path, environ: object) -> None:
    table, pattern = written(tmp_path, made(400, 1)), pattern_file(tmp_path, CASCADE)
    command = ("eval", "replay", str(table), "--pattern", str(pattern), "--offline")
    shown = await continuo(*command)
    assert shown.code == 0, shown.err
    assert "against sim-premium alone, and loses" in shown.out
    assert "better than asking sim-mini or sim-premium at random at the same cost: +" in shown.out
    found = json.loads((await continuo(*command, "--json", "--limit", "100")).out)
    assert (found["questions"], found["cheapest_model"], found["dearest_model"]) == (100, "sim-mini", "sim-premium")
    assert 0 < found["saved"] < 1


async def test_a_router_that_chance_equals_is_told_to_be_worthless(tmp_path: Path, environ: object) -> None:
    table = written(tmp_path, made(400, 1, telling=0.0))
    pattern = pattern_file(tmp_path, {**CASCADE, "thresholds": [0.5]})
    shown = await continuo("eval", "replay", str(table), "--pattern", str(pattern), "--offline")
    assert "worthless, as far as these questions show" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("model", "says"),
    [("gpt-9", "unknown model 'gpt-9'"), ("sim-free", "the table has no answers of 'sim-free', but of sim-mid, sim-")],
)
async def test_a_model_that_the_table_has_not_is_told(tmp_path: Path, environ: object, model: str, says: str) -> None:
    shown = await continuo("eval", "replay", str(written(tmp_path, made(3))), "--pattern", f"model:{model}")
    assert (shown.code, says in shown.err) == (2, True), shown.err


@pytest.mark.chaos
async def test_without_offline_each_question_is_run_on_a_stack_of_its_own(tmp_path: Path, environ: object) -> None:
    table, pattern = written(tmp_path, made(20, 1)), pattern_file(tmp_path, CASCADE)
    command = ("eval", "replay", str(table), "--pattern", str(pattern), "--json")
    run, offline = await continuo(*command), await continuo(*command, "--offline")
    assert run.code == 0, run.err
    assert json.loads(run.out) == json.loads(offline.out)
