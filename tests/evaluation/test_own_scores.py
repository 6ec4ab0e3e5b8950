"""Functions of one's own that score."""

import pytest

from continuo.errors import InputError
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import NoScore
from tests.evaluation.scoring import SCORERS, scored

OWN = "tests.evaluation.own_scores"


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUO_CODE", OWN)


def by(name: str, text: str) -> Score:
    return scored("python", text, function=f"{OWN}:{name}")


def test_a_function_says_yes_or_no_a_number_or_a_whole_score() -> None:
    assert (by("polite", "please").value, by("polite", "now").value) == (1, 0)
    assert by("like", "0.25").value == 0.25
    assert by("reasoned", "") == Score(value=0.5, why="1 is half right")


def test_a_report_shows_the_functions_name() -> None:
    assert SCORERS.validate_python({"kind": "python", "function": f"{OWN}:polite"}).name == f"{OWN}:polite"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("like", "much", "like raised ValueError: could not convert string to float: 'much'"),
        ("like", "1.5", "like returned 1.5; return a number from 0 to 1"),
        ("like", "nan", "like returned nan; return"),
        ("fails", "\ud800", r"fails raised SystemExit: no \?"),
        ("endless", "", "endless returned a value of type NoneType; return"),
        ("endless", "x", "endless returned a value of type int; return"),
    ],
)
def test_a_function_that_gives_no_score_is_no_0(name: str, text: str, why: str) -> None:
    with pytest.raises(NoScore, match=why):
        by(name, text)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (f"{OWN}:polit", "did you mean 'polite'"),
        ("os:system", "is of no module that patterns may call"),
        (f"{OWN}:waits", "is async, and a score is not waited for"),
        (f"{OWN}:alone", r"does not take two arguments, \(outcome, example\)"),
    ],
)
def test_a_function_that_cannot_be_called_is_told_before_anything_runs(function: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        SCORERS.validate_python({"kind": "python", "function": function}).check(Example(id="1"))
