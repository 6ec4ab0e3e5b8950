"""`continuo compose` from a wish to a file."""

import re
import shlex
from pathlib import Path

import pytest

from continuo.authoring.files import load_pattern
from continuo.patterns import Cached, Call
from continuo.testing.processes import Control
from tests.support.commands import continuo, typed
from tests.support.repository import ROOT

pytestmark = pytest.mark.usefixtures("simulator")
PAGE = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")


def test_the_command_of_the_page_prints_a_pattern(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [command] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert typed(monkeypatch, *shlex.split(command)[1:]) == 0
    shown = capsys.readouterr()
    assert "kind: cached" in shown.out
    assert "At worst: " in shown.err


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        (["--quality", "0.5"], "name a golden set with --eval"),
        (["--eval", "mine"], "name a file with --output"),
        (["-o", "a.txt"], "ends with .yaml"),
        (["--model", "nope"], "unknown model 'nope'"),
        (["--max-latency", "5"], "'5' is not a duration"),
        (["--by", "nope"], "unknown model 'nope'"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    options: list[str], mistake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "compose", "Say hello", *options) == 2
    assert mistake in capsys.readouterr().err


def test_a_file_is_overwritten_only_with_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine", encoding="utf-8")
    command = ("compose", "Answer FAQs", "--model", "sim-mini", "-o", str(file))
    assert typed(monkeypatch, *command) == 2
    assert file.read_text(encoding="utf-8") == "mine"
    assert typed(monkeypatch, *command, "--force") == 0
    assert load_pattern(file).pattern == Cached(Call(model="sim-mini"))


@pytest.mark.usefixtures("worker")
async def test_a_model_composes_and_the_set_says_whether_it_is_good_enough(tmp_path: Path, simulator: Control) -> None:
    (tmp_path / "mine.yaml").write_text("description: M.\nitems: i.jsonl\nscores: [{kind: exact}]\n", encoding="utf-8")
    (tmp_path / "i.jsonl").write_text('{"prompt": "Yes?", "expected": "yes"}\n', encoding="utf-8")
    await simulator.behave("sim-premium", text="description: x\npattern: {kind: call, model: sim-free}")
    await simulator.behave("sim-free", text="no")
    await simulator.behave("sim-mid", text="yes")
    file = tmp_path / "out.yaml"
    wish, tenant = f"Say hello {tmp_path.name}", f"t{abs(hash(str(tmp_path)))}"
    command = ("compose", wish, "--by", "premium", "--model", "mid", "--model", "sim-free", "--tenant", tenant)
    written = ("-o", str(file), "--force", "--eval", "mine", "--quality", "1")
    end = await continuo(*command, *written, CONTINUO_EVALS=str(tmp_path))
    assert end.code == 0, end.err
    assert "composed by a model" in end.err
    assert "mine: 0 of 1 items pass" in end.err
    assert "mine: 1 of 1 items pass" in end.err
    assert load_pattern(file).pattern == Call(model="sim-mid")
    assert (await continuo(*command)).code == 0
    assert len(await simulator.calls("sim-premium")) == 1
