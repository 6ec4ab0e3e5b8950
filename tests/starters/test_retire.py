"""`continuo retire`: a model is replaced once another one is as good."""

import re
import shlex
from pathlib import Path

import pytest

from continuo.authoring.golden_sets import load_set
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.starters.app import app
from continuo.starters.commands.retire import retire
from continuo.starters.evaluation import saved
from continuo.stores.opened import open_store
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done
from tests.evaluation.test_golden_sets import with_scores
from tests.support.commands import continuo
from tests.support.evaluations import evaluation
from tests.support.repository import ROOT

PATTERN = "description: Ours.\npattern:\n  kind: call\n  model: sim-mini  # cheap\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of a pattern in a folder of its own, beside a store of its own."""
    (tmp_path / "patterns").mkdir()
    path = tmp_path / "patterns" / "ours.yaml"
    path.write_text(PATTERN, encoding="utf-8")
    monkeypatch.setenv("CONTINUO_PATTERNS", str(path.parent))
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    return path


async def answered(count: int, value: float) -> None:
    """So many runs, each with a copy in the shadow that was rated at `value`, and itself at 0.8."""
    store = open_store(Settings(), {})
    try:
        rows = [done(f"r{n}", pattern="ours", variant="now") for n in range(count)]
        copies = [
            done(f"c{n}", pattern="ours", workflow_id=f"w-r{n}.shadow.sim-mid", shadow_of=f"w-r{n}")
            for n in range(count)
        ]
        await Runs(store, "here").keep([*rows, *copies])
        said = [(row.run_id, 0.8) for row in rows] + [(row.run_id, value) for row in copies]
        await rate(store, [rating(id, value=given) for id, given in said])
    finally:
        await store.aclose()


async def test_a_model_is_tried_beside_the_other_and_replaced_once_that_is_as_good(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await retire("sim-mini", other="sim-mid") == 0
    told = capsys.readouterr()
    assert "+      model: sim-mid  # cheap" in told.out
    assert "the alias mini names it" in told.out
    assert told.err.endswith("next: continuo retire sim-mini --with sim-mid --shadow\n")
    assert file.read_text(encoding="utf-8") == PATTERN
    assert await retire("sim-mini", other="sim-mid", shadow=True) == 0
    tried = file.read_text(encoding="utf-8")
    assert "shadow:\n    sim-mid:\n      kind: call\n      model: sim-mid  # cheap\n" in tried
    assert await retire("sim-mini", other="sim-mid", apply=True) == 1
    assert "no run has ended; let runs come, and rate them" in capsys.readouterr().out
    await answered(10, 0.8)
    assert await retire("sim-mini", other="sim-mid", apply=True) == 1
    assert "10 examples are few" in capsys.readouterr().out
    assert file.read_text(encoding="utf-8") == tried
    await answered(90, 0.8)
    assert await retire("sim-mini", other="sim-mid", gate=True) == 0
    assert await retire("sim-mini", other="sim-mid", apply=True) == 0
    assert file.read_text(encoding="utf-8") == PATTERN.replace("sim-mini", "sim-mid")
    assert await retire("sim-mini", other="sim-mid") == 0
    assert "no pattern of your own asks sim-mini" in capsys.readouterr().err


async def test_a_worse_one_is_kept_out(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await retire("sim-mini", other="sim-mid", shadow=True)
    await answered(90, 0.5)
    assert await retire("sim-mini", other="sim-mid", apply=True) == 1
    assert "ours: quality: regression: 0.800 → 0.500" in capsys.readouterr().out
    assert "kind: split" in file.read_text(encoding="utf-8")


async def test_models_may_be_compared_on_a_golden_set_in_place_of_shadows(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTINUO_EVALS", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("description: d\nitems: i.jsonl\nscores: [{kind: exact}]\n", encoding="utf-8")
    path = load_set("mine", tmp_path).saved(saved.LAST)
    base, models = evaluation([f"text {number}" for number in range(300)]), ("model:sim-mini", "model:sim-mid")

    async def command(*, apply: bool = False) -> int:
        return await retire("sim-mini", other="sim-mid", golden_set="mine", gate=not apply, apply=apply)

    saved.write(path, saved.as_json(with_scores(base, 1, ("model:sim-mini",))))
    assert await command() == 1
    assert "run continuo eval run mine --pattern model:sim-mini --pattern model:sim-mid" in capsys.readouterr().out
    better, same = with_scores(base, 1, models), with_scores(base, 0, models)
    worse = same.model_copy(update={"patterns": (better.patterns[0], same.patterns[1])})
    saved.write(path, saved.as_json(worse))
    assert await command(apply=True) == 1
    assert "mine: exact: regression" in capsys.readouterr().out
    assert file.read_text(encoding="utf-8") == PATTERN
    saved.write(path, saved.as_json(better))
    assert await command(apply=True) == 0
    assert file.read_text(encoding="utf-8") == PATTERN.replace("sim-mini", "sim-mid")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sim-mni", "--with", "sim-mid"], "unknown model 'sim-mni'; did you mean 'sim-mini'?"),
        (["sim-mini"], "the catalog names nothing that replaces 'sim-mini'; give --with MODEL"),
        (["sim-mini", "--with", "sim-mini"], "'sim-mini' is the model itself; name another one"),
        (["sim-mini", "--with", "sim-mid", "--gate"], "ours has no shadow of sim-mid; write it with --shadow"),
        (["sim-mini", "--with", "sim-mid", "--gate", "--apply"], "are one after the other; give one of them"),
        (["sim-mini", "--with", "sim-mid", "--pattern", "our"], "unknown pattern 'our'; did you mean 'ours'?"),
        (["sim-premium", "--with", "sim-mid", "--shadow"], "no pattern of your own asks 'sim-premium' by its name"),
    ],
)
async def test_wrong_input_is_told(file: Path, arguments: list[str], says: str) -> None:
    result = await continuo("retire", *arguments)
    assert (result.code, says in result.err) == (2, True), result.err
    assert file.read_text(encoding="utf-8") == PATTERN


def test_what_the_page_shows_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = page.partition("## Models that retire\n")[2].partition("\n## ")[0]
    catalog, commands = re.findall(r"```(?:toml|sh)\n(.*?)```", section, re.DOTALL)
    (tmp_path / "catalog.toml").write_text(catalog, encoding="utf-8")
    assert load_catalog(tmp_path / "catalog.toml").models["gpt-6-luna"].replaced_by == "gpt-6.1-terra"
    for command in commands.splitlines():
        function, _, _ = app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
        assert function.__name__ in ("retire", "judge")
