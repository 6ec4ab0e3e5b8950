"""`continuo ab`: a split's variants on what became of their runs."""

import json
from pathlib import Path

import pytest

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.starters.commands.ab import hold, plan, release, reset, shift, show
from continuo.stores.opened import open_store
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done

PATTERN = """
description: Two variants and a shadow.
pattern:
  kind: split
  variants:
    now: {weight: 3, step: {kind: template, text: now}}
    new: {step: {kind: template, text: new}}
  shadow:
    next: {kind: template, text: next}
"""


@pytest.fixture
async def pattern(tmp_path: Path, environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> str:
    """A split, each of whose variants has run 50 times and was rated; of its shadow one run was."""
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    file = tmp_path / "help.yaml"
    file.write_text(PATTERN, encoding="utf-8")
    rows = [
        done(f"{variant}-{number}", pattern=str(file)).model_copy(update={"variant": variant})
        for variant in ("now", "new")
        for number in range(50)
    ]
    shadow = done("shadow", pattern=str(file), shadow_of="w-now-0", workflow_id="w-now-0.shadow.next")
    store = open_store(Settings(), {})
    try:
        await Runs(store, "here").keep([*rows, shadow])
        await rate(store, [rating(row.run_id, value=float(row.variant == "new")) for row in [*rows, shadow]])
    finally:
        await store.aclose()
    return str(file)


async def test_variants_and_shadows_are_shown_with_what_is_to_be_done(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await show(pattern) == 0
    table = capsys.readouterr().out
    for text in ("now", "75%", "baseline", "new", "25%", "stop: better by 1.000", "next (shadow)", "go on: about "):
        assert text in table
    assert await show(pattern, json=True) == 0
    arms = json.loads(capsys.readouterr().out)["arms"]
    assert [(arm["variant"], arm["runs"], arm["quality"]["mean"]) for arm in arms] == [
        ("now", 50, 0),
        ("new", 50, 1),
        ("next", 1, 0),
    ]
    assert arms[1]["look"]["decision"] == "better"


async def test_runs_before_a_day_are_left_out_and_it_says_that_nobody_has_rated_any(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await show(pattern, since="2026-11-22") == 0
    assert "nobody has rated these runs yet" in capsys.readouterr().err


async def test_what_is_no_split_and_a_wrong_effect_are_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="pattern: 'support' is a fallback; name one of the kind split"):
        await show("support")
    with pytest.raises(InputError, match="--effect: 0 is no difference"):
        await show(pattern, effect=0)


def test_a_plan_says_how_many_ratings_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(baseline=0.8, effect=0.05) == 0
    once, looks = (int(line.partition(" ")[0].replace(",", "")) for line in capsys.readouterr().out.splitlines()[1:])
    assert 800 < once < 1000
    assert once < looks < 4 * once


@pytest.mark.parametrize("baseline", [0.0, 0.95])
def test_a_plan_begins_where_nothing_passes_and_ends_where_all_does(baseline: float) -> None:
    assert plan(baseline=baseline, effect=0.05) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"effect": -0.1}, "--effect"), ({"power": 1.0}, "--power"), ({"baseline": 2.0}, "not another rate")],
)
def test_a_plan_of_what_cannot_be_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(**{"baseline": 0.8, **wrong})


async def test_an_adaptive_split_is_shifted_held_and_reset_by_hand_and_shown_with_why(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"has the weights that are written; add `adaptive: \{\}` to its split"):
        await shift(pattern)
    file = Path(pattern)
    file.write_text(PATTERN.replace("kind: split", "kind: split\n  adaptive: {window: 100}"), encoding="utf-8")
    assert await shift(pattern) == 0
    shifted = capsys.readouterr().out
    assert " UTC, shift: now 2%, new 98%" in shifted
    assert "  new: 25.0% → 98.0%: quality 1.00" in shifted
    assert [await hold(pattern), await shift(pattern), await release(pattern), await release(pattern)] == [0, 1, 0, 1]
    said = capsys.readouterr()
    assert "UTC, hold, held: now 2%, new 98%" in said.out
    assert "nothing is changed: held since " in said.err
    assert "nothing is changed: it is not held" in said.err
    assert await show(pattern) == 0
    shown = capsys.readouterr().out
    assert "98%" in shown
    assert [line.partition(" UTC, ")[2] for line in shown.splitlines() if " UTC, " in line] == [
        "release: now 2%, new 98%",
        "hold, held: now 2%, new 98%",
        "shift: now 2%, new 98%",
    ]
    assert "  now: 75.0% → 2.0%: quality 0.00" in shown
    assert await reset(pattern, json=True) == 0
    assert json.loads(capsys.readouterr().out)["shares"] == {}
    assert await show(pattern, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [arm["weight"] for arm in found["arms"]] == [0.75, 0.25, None]
    assert [entry["action"] for entry in found["shifts"]] == ["reset", "release", "hold", "shift"]
