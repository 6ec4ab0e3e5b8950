"""What docs/evaluation.md says of numbers is what is computed."""

import re
from math import sqrt

import pytest

from continuo.evaluation.intervals import mean_interval
from continuo.evaluation.planning import size_for_pairs, size_for_rates
from continuo.evaluation.sequential import size_for_looks
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
NUMBERS = PAGE.split("\n## What the numbers mean\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", NUMBERS, re.DOTALL))
def test_each_piece_of_python_prints_what_its_last_line_says(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    assert capsys.readouterr().out == code.splitlines()[-1].removeprefix("# ") + "\n"


@pytest.mark.parametrize("count", [20, 100, 1_000])
def test_the_intervals_are_these(count: int) -> None:
    failures = count // 10
    estimate = mean_interval([0.0] * failures + [1.0] * (count - failures))
    assert f"{estimate.low:.3f}" in NUMBERS
    assert f"{estimate.high:.3f}" in NUMBERS


@pytest.mark.parametrize("change", [0.1, 0.05, 0.02])
def test_the_table_is_what_the_planners_say(change: float) -> None:
    middle = 0.9 - change / 2
    sizes = (
        size_for_pairs(sqrt(0.1), change),
        size_for_rates(0.9, -change),
        size_for_looks(sqrt(middle * (1 - middle)), change),
    )
    [row] = re.findall(rf"^\| {change:.2f} .*$", NUMBERS, re.MULTILINE)
    assert [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", row)[2:]] == [*sizes]
