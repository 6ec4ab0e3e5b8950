"""Golden sets as a person writes them, and what answers to them come to."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.authoring.golden_sets import load_set
from continuo.errors import InputError
from continuo.evaluation.compared import compared
from continuo.evaluation.examples import Score
from continuo.evaluation.gate import Limits
from continuo.evaluation.results import Answer, Evaluation
from continuo.evaluation.summaries import percentile, summarised
from continuo.starters.evaluation.items import read_golden
from tests.support.evaluations import evaluation

SET = "description: Mine.\nitems: items.jsonl\nscores:\n  - kind: exact\n"


def written(folder: Path, *lines: object, text: str = SET) -> Path:
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_set_is_read_by_its_name_with_the_items_beside_it(tmp_path: Path) -> None:
    written(
        tmp_path, {"prompt": "One?", "expected": "1", "id": "a", "tags": ["t"]}, {"data": {"x": 1}, "any_of": [1, 2]}
    )
    one, two = read_golden(load_set("mine", tmp_path))
    assert (one.line, one.request.prompt, one.example.id, one.example.tags) == (1, "One?", "a", ("t",))
    assert (two.example.prompt, two.example.any_of) == ('{"x": 1}', (1, 2))


def test_an_item_without_an_id_is_called_by_its_input_wherever_it_stands(tmp_path: Path) -> None:
    first = {"prompt": "One?", "expected": "1"}
    [alone] = read_golden(load_set(str(written(tmp_path, first)), tmp_path))
    _, second = read_golden(
        load_set(str(written(tmp_path, {"prompt": "0", "expected": "0"}, {**first, "expected": "2"})), tmp_path)
    )
    assert alone.example.id == second.example.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("description: x\nscores: [{kind: exact}]\n", ":1: items: missing; add it"),
        (f"{SET}windw: 3\n", ":5: windw: no such field; did you mean 'window'?"),
        (SET.replace("exact", "exat"), ":4: scores[0].kind: unknown kind 'exat'; did you mean 'exact'?"),
        (SET.replace("exact", "rouge-l\n    of: x"), ":5: scores[0].of: no such field"),
        (f"{SET}  - kind: exact\n", ":5: scores: two scores are called 'exact'"),
        (f"{SET}budget: 0\n", ":5: budget: Input should be greater than 0"),
        (f"{SET}passing: 2\n", ":5: passing: Input should be less than or equal to 1"),
        (f"{SET}gate: {{alpha: 1}}\n", ":5: gate.alpha: Input should be less than 1"),
        ("description: x\nitems: i.jsonl\nscores: []\n", ":3: scores: has 0, needs at least 1"),
        ("- a\n", ":1: the file: not a mapping"),
    ],
)
def test_a_mistake_in_a_set_is_told_with_its_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text=text)
    with pytest.raises(InputError) as raised:
        load_set("mine", tmp_path)
    assert f"{path}{says}" in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], " has no items; write one a line"),
        (
            [{"prompt": "a", "expected": "b"}, {"prompt": "a", "expected": "c"}],
            ":2: the item has the input, or the id, of line 1",
        ),
        ([{"prompt": "a", "expectd": "b"}], ":1: 'expectd' is no field of an item"),
        ([{"prompt": "a", "expected": "b", "tags": "t"}], ":1: tags: Input should be a valid tuple"),
        ([{"prompt": "a"}], ":1: example "),
        ([{"expected": "b"}], ":1: Request: give a prompt, messages or data"),
    ],
)
def test_a_mistake_in_an_item_is_told_with_its_line(tmp_path: Path, lines: list[object], says: str) -> None:
    file = load_set(str(written(tmp_path, *lines)), tmp_path)
    with pytest.raises(InputError) as raised:
        read_golden(file)
    assert f"{file.items}{says}" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "says"), [("other", "unknown golden set 'other'; known: mine"), ("gone.yaml", "cannot read gone.yaml")]
)
def test_a_set_that_is_not_there_is_told(tmp_path: Path, name: str, says: str) -> None:
    written(tmp_path)
    with pytest.raises(InputError, match=says):
        load_set(name, tmp_path)
    with pytest.raises(InputError, match=r"no folder of golden sets at .*; make it, or set CONTINUO_EVALS"):
        load_set("mine", tmp_path / "gone")


def test_items_that_are_no_jsonl_are_told(tmp_path: Path) -> None:
    file = load_set(str(written(tmp_path, text=SET.replace("items.jsonl", "items.csv"))), tmp_path)
    with pytest.raises(InputError, match="the items of a golden set are JSONL"):
        read_golden(file)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_that_so_many_are_not_above(values: list[float], share: float) -> None:
    value = percentile(sorted(values), share)
    assert value in values
    assert sum(one <= value for one in values) >= share * len(values)


def test_a_summary_counts_what_fails_and_leaves_out_what_has_no_score() -> None:
    answers = [
        Answer(text="a", scores={"exact": Score(value=1)}, cost_usd=0.25, latency_ms=10),
        Answer(text="b", unscored={"exact": "why"}, cost_usd=0.25, latency_ms=30),
        Answer(failure="f", scores={"exact": Score(value=0)}, cost_usd=0.5),
    ]
    summary = summarised(answers, ["exact", "never"], 0.5)
    assert (summary.items, summary.passed, summary.failed) == (3, 1, 1)
    assert (summary.scores["exact"].mean, summary.scores["exact"].count) == (0.5, 2)
    assert {*summary.scores} == {"exact"}
    assert (summary.cost_usd, summary.median_ms, summary.p95_ms) == (1, 10, 30)
    assert summarised([*answers, Answer(text="c")], ["exact"], 0.5).cost_usd is None


def with_scores(base: Evaluation, value: float, patterns: tuple[str, ...] = ("one", "two")) -> Evaluation:
    score = {"exact": Score(value=value)}
    return base.model_copy(
        update={
            "patterns": tuple(
                tried.model_copy(
                    update={"pattern": name, "answers": tuple(Answer(text="a", scores=score) for _ in tried.answers)}
                )
                for name, tried in zip(patterns, base.patterns, strict=False)
            )
        }
    )


def test_a_gate_compares_patterns_of_the_same_name_or_the_only_ones() -> None:
    base = evaluation([f"text {number}" for number in range(20)])
    right, wrong = with_scores(base, 1), with_scores(base, 0)
    assert {name: verdict.passed for name, verdict in compared(right, wrong, Limits()).items()} == {
        "one": False, "two": False,
    }  # fmt: skip
    assert all(verdict.passed for verdict in compared(wrong, right, Limits()).values())
    alone, renamed = with_scores(base, 1, ("one",)), with_scores(base, 0, ("other",))
    assert {name: verdict.passed for name, verdict in compared(alone, renamed, Limits()).items()} == {"other": False}
    with pytest.raises(InputError, match="the baseline has no pattern 'two' but one"):
        compared(alone, right, Limits())
    with pytest.raises(InputError, match="the baseline has none of the scores exact"):
        compared(right.model_copy(update={"scores": ()}), wrong, Limits())
