"""ROUGE beside rouge-score, and the longest common subsequence beside its definition."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.evaluation.scores.rouge import MOST
from continuo.evaluation.scores.subsequence import common, places
from tests.evaluation.scoring import scored, value

THEIRS = {"rouge-1": "rouge1", "rouge-2": "rouge2", "rouge-l": "rougeL", "rouge-lsum": "rougeLsum"}
WORDS = st.sampled_from(["the", "a", "cat", "sat_on", "mat.", "It's", "3.5", "\n", "\n\n"])
SENTENCES = st.lists(WORDS, max_size=25).map(" ".join)
ASCII = st.text(st.characters(max_codepoint=127), max_size=60)


@cache
def rouge_score() -> Any:
    # It loads nltk, which takes seconds.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([*THEIRS.values()])


@settings(max_examples=40)
@given(SENTENCES | ASCII, SENTENCES | ASCII)
def test_the_values_are_those_of_rouge_score(text: str, right: str) -> None:
    if text != right:
        theirs = rouge_score().score(right, text)
        ours = {name: value(kind, text, right) for kind, name in THEIRS.items()}
        assert ours == pytest.approx({name: theirs[name].fmeasure for name in ours})


@pytest.mark.parametrize(
    ("kind", "text", "right", "f1"),
    [
        # Of the README of rouge-score, and of Lin, 2004.
        ("rouge-1", "The quick brown dog jumps on the log.", "The quick brown fox jumps over the lazy dog", 12 / 17),
        ("rouge-l", "The quick brown dog jumps on the log.", "The quick brown fox jumps over the lazy dog", 10 / 17),
        ("rouge-2", "police kill the gunman", "police killed the gunman", 1 / 3),
        ("rouge-l", "police kill the gunman", "police killed the gunman", 3 / 4),
        ("rouge-l", "the gunman kill police", "police killed the gunman", 2 / 4),
        ("rouge-lsum", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5", 2 * 4 / 15),
    ],
)
def test_the_published_examples(kind: str, text: str, right: str, f1: float) -> None:
    assert value(kind, text, right) == pytest.approx(f1)


def test_letters_beyond_ascii_count() -> None:
    assert value("rouge-1", "東京です", "東京") == pytest.approx(2 * 2 / 6)
    assert value("rouge-l", "größere Straße", "GRÖSSERE Strasse.") == 1
    assert value("rouge-l", "Ответ верен", "верен") == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", ["rouge-l", "rouge-lsum"])
def test_of_longer_texts_the_first_words_are_compared_and_that_is_told(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST, kind, 4)
    assert scored(kind, "a b\nc d", "a b\nc x").why == ""
    score = scored(kind, "a b\nc d e", "a b\nc d x")
    assert score.value == 1
    assert score.why == "of 5 words the first 4 are compared"


LETTERS = st.text("abc", max_size=12)


@given(LETTERS, LETTERS)
def test_the_common_subsequence_is_as_long_as_any(first: str, second: str) -> None:
    @cache
    def longest(row: int, column: int) -> int:
        if not row or not column:
            return 0
        if first[row - 1] == second[column - 1]:
            return longest(row - 1, column - 1) + 1
        return max(longest(row - 1, column), longest(row, column - 1))

    assert common(first, second) == common(second, first) == longest(len(first), len(second))


@given(LETTERS, LETTERS)
def test_the_places_are_of_a_common_subsequence(first: str, second: str) -> None:
    taken = places(first, second)[::-1]
    assert taken == sorted(set(taken))
    rest = iter(second)
    assert all(first[place] in rest for place in taken)
    assert len(taken) == common(first, second)
