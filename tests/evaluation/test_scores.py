"""Answers that are right or wrong: exact, normalised, contained, matched, of a schema, a number."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.errors import InputError
from continuo.evaluation.examples import LONGEST, Example, Score
from continuo.jobs import Outcome
from tests.evaluation.scoring import SCORERS, TEXT_KINDS, scored, value

DEEP = "[" * 10_000 + "]" * 10_000
HOSTILE = [
    "",
    " \n",
    "\ud800",
    "x\udfff y",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}",
    "\x00\x1b[31m",
    DEEP,
    "9" * 5_000,
]
PER_KIND: dict[str, Any] = {"number": 1, "regex": "right", "json_schema": {"type": "object"}, "tool_calls": []}


@settings(max_examples=30)
@given(st.text(max_size=60), st.text(max_size=60))
def test_every_score_of_texts_is_within_0_and_1_and_1_for_the_right_text(text: str, other: str) -> None:
    for kind in TEXT_KINDS:
        if kind != "contains" or any(map(str.isalnum, other)):
            assert 0 <= value(kind, text, other) <= 1
    for kind in TEXT_KINDS:
        if kind != "contains" or any(map(str.isalnum, text)):
            assert value(kind, text, text) == 1


@settings(max_examples=30)
@given(st.text(max_size=40), st.text(max_size=40))
def test_which_of_two_texts_is_the_right_one_makes_no_difference(text: str, other: str) -> None:
    for kind in ("exact", "normalised", "rouge-1", "rouge-2", "rouge-l"):
        assert value(kind, text, other) == value(kind, other, text)


@pytest.mark.parametrize("kind", [*TEXT_KINDS, *PER_KIND])
@pytest.mark.parametrize("text", HOSTILE, ids=map(repr, range(len(HOSTILE))))
def test_no_answer_breaks_a_score_or_what_is_told_of_it(kind: str, text: str) -> None:
    score = scored(kind, text, PER_KIND.get(kind, "a right answer"))
    assert 0 <= score.value <= (1 if kind in ("tool_calls", "number") else 0)
    assert "\n" not in score.why
    assert len(score.why.encode()) <= 4 * LONGEST


@pytest.mark.chaos
@pytest.mark.parametrize("kind", [*TEXT_KINDS, *PER_KIND])
@pytest.mark.parametrize("piece", ["a\nb\n", "x"])
def test_a_very_long_answer_is_scored(kind: str, piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert 0 <= value(kind, text, PER_KIND.get(kind, f"b {text[:400]}")) <= 1


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_of_several_right_answers_the_best_counts(kind: str) -> None:
    assert value(kind, "the hill in the rain", "something else", "the hill in the rain") == 1


def test_expected_is_one_of_the_right_answers() -> None:
    example = Example(id="1", expected="Paris", any_of=("Lutetia",))
    for text, right in (("Paris", 1), ("Lutetia", 1), ("Rome", 0)):
        score = SCORERS.validate_python({"kind": "exact"}).score(Outcome(text=text, served_by="model"), example)
        assert score.value == right


@pytest.mark.parametrize("kind", [*TEXT_KINDS, "regex", "json_schema", "number", "similarity", "tool_calls"])
def test_an_example_without_a_right_answer_is_told_before_anything_runs(kind: str) -> None:
    fields = {"pattern": "model:embed"} if kind == "similarity" else {}
    with pytest.raises(InputError, match=f"example 'x7': scored by {kind}, it has no right answer; write `expected`"):
        SCORERS.validate_python({"kind": kind, **fields}).check(Example(id="x7"))


def test_an_unknown_kind_or_field_is_an_error() -> None:
    for wrong in ({"kind": "blue"}, {"kind": "exact", "case": True}, {"kind": "number", "absolute": -1}):
        with pytest.raises(ValidationError):
            SCORERS.validate_python(wrong)


def test_exact_is_to_the_letter_but_for_space_around() -> None:
    assert value("exact", " Paris\n", "Paris") == 1
    assert value("exact", "paris", "Paris") == value("exact", "Paris.", "Paris") == 0
    assert value("exact", "42", 42) == value("exact", "true", True) == 1


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The Eiffel Tower!", "eiffel  tower"),
        ("a U.S. state", "US state"),
        ("Café Zürich", "cafe zurich"),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t", "Don't"),
        ("$50 + 3", "50 3"),
        ("A.", "a"),
        ("東京。", "東京"),
    ],
)
def test_normalised_leaves_out_case_accents_punctuation_articles_and_space(text: str, right: str) -> None:
    assert value("normalised", text, right) == 1


@pytest.mark.parametrize(("text", "right"), [("", "A"), ("the", "A"), ("theatre", "atre"), ("?", "!"), ("ab", "a b")])
def test_normalised_leaves_no_word_out_that_says_something(text: str, right: str) -> None:
    assert value("normalised", text, right) == 0


def test_contains_looks_for_whole_words() -> None:
    assert value("contains", "It is PARIS, in France.", "paris") == value("contains", "I like c++ best", "C++") == 1
    assert value("contains", "答えは東京です", "東京") == 1
    assert value("contains", "a comparison", "paris") == value("contains", "", "paris") == 0
    with pytest.raises(InputError, match=r"example '1': scored by contains, .*'!' has neither a letter nor a digit"):
        scored("contains", "x", "!")


def test_regex_matches_anywhere_by_its_own_pattern_or_the_examples() -> None:
    assert value("regex", "order 1234 is there", pattern=r"\b\d{4}\b") == 1
    assert value("regex", "no order", pattern=r"\d") == 0
    assert value("regex", "abc", "^z", "c$") == 1
    assert value("regex", "a" * 100_000 + "!", "(a*)*$", pattern="(a+)+$") == 0


def test_regex_that_cannot_be_matched_is_told() -> None:
    with pytest.raises(ValidationError, match="missing \\)"):
        scored("regex", "x", pattern="(")
    with pytest.raises(
        InputError, match="example '1': scored by regex, it expects what cannot be matched: '\\(\\?=a\\)'"
    ):
        scored("regex", "x", "(?=a)")
    with pytest.raises(InputError, match="has a right answer that is no text"):
        scored("regex", "x", 42)


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_json_schema_says_what_does_not_fit() -> None:
    assert value("json_schema", '{"city": "Oslo"}', json_schema=SCHEMA) == 1
    assert scored("json_schema", '{"city": 1}', SCHEMA) == Score(value=0, why='city: 1 is not of type "string"')
    assert value("json_schema", "7", SCHEMA, {"type": "integer"}) == 1
    assert "it is not JSON" in scored("json_schema", "Oslo", SCHEMA).why


def test_json_schema_that_is_none_is_told() -> None:
    with pytest.raises(ValidationError, match="it is no JSON schema"):
        scored("json_schema", "{}", json_schema={"type": "objec"})
    with pytest.raises(InputError, match="it expects what is no JSON schema"):
        scored("json_schema", "{}", {"type": "objec"})
    with pytest.raises(InputError, match="has a right answer that is no object"):
        scored("json_schema", "{}", "object")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2 of 3, so it is $1,200.50.", 1200.5),
        ("\\boxed{-4}", -4),
        ("about \N{MINUS SIGN}1e3", "-1000"),
        ("42 %", "x = 42"),
        ("0.30000000000000004", 0.3),
    ],
)
def test_number_reads_the_last_one(text: str, right: float | str) -> None:
    assert value("number", text, right) == 1


def test_number_may_be_off_by_a_tolerance() -> None:
    assert value("number", "10.4", 10) == 0
    assert value("number", "10.4", 10, absolute=0.5) == value("number", "9.6", 10, relative=0.05) == 1
    assert value("number", "10.6", 10, absolute=0.5, relative=0.05) == 0
    assert value("number", "8", 10, 8) == 1
    assert scored("number", "ten", 10) == Score(value=0, why="it names no number")
    assert value("number", "9" * 400, 10, relative=1e9) == 0


@pytest.mark.parametrize("right", ["none", "9" * 400, [], True])
def test_number_tells_of_a_right_answer_without_one(right: Any) -> None:
    with pytest.raises(InputError, match="has a right answer without a number; write one"):
        scored("number", "1", right)


@given(st.floats(-1e300, 1e300))
def test_number_reads_what_it_writes(number: float) -> None:
    assert value("number", f"it is {json.dumps(number)}", number) == 1
