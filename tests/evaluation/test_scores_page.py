"""What docs/scores.md shows is right and runs."""

import json
import re
from typing import Any, get_args

import pytest
import yaml

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.number import Number
from continuo.evaluation.scores.rouge import MOST
from continuo.evaluation.scores.scorer import Scorer
from continuo.evaluation.scores.tool_calls import ToolCalls
from continuo.jobs import Outcome
from tests.evaluation.scoring import SCORERS
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [text] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.mark.parametrize("scorer", yaml.safe_load(block("yaml")), ids=lambda scorer: scorer["kind"])
def test_every_example_is_a_scorer(scorer: dict[str, Any]) -> None:
    assert SCORERS.validate_python(scorer)


def test_every_kind_has_a_row() -> None:
    kinds = [
        kind for metric in get_args(get_args(Scorer)[0]) for kind in get_args(metric.model_fields["kind"].annotation)
    ]
    rows = "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))
    assert re.findall(r"`([\w-]+)`", rows) == kinds


def test_its_figures_are_those_of_the_code() -> None:
    assert MOST == {"rouge-l": 100_000, "rouge-lsum": 3_000}
    assert (Number().absolute, Number().relative) == (0, 1e-9)


def test_its_calls_are_a_right_answer() -> None:
    ToolCalls().check(Example.model_validate_json(block("json")))
    assert json.loads(block("json"))["expected"][0]["name"] == "weather"


def test_its_function_scores() -> None:
    code: dict[str, Any] = {}
    exec(block("python"), code)
    answer = Outcome(text="word " * 40, served_by="model")
    assert code["brief"](answer, Example(id="1")) == Score(value=0.5, why="40 words")
