"""The cosine of embeddings."""

from array import array
from base64 import b64encode
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.evaluation.examples import Example
from continuo.evaluation.scores.base import NoScore
from continuo.evaluation.scores.similarity import Similarity
from continuo.jobs import Outcome

METRIC = Similarity(pattern="model:sim-embed")


def embedded(*vectors: list[float]) -> Outcome:
    packed = b64encode(array("f", [number for vector in vectors for number in vector]).tobytes()).decode()
    return Outcome(text="", served_by="model", embedding=packed)


def cosine(said: list[float], *right: list[float]) -> float:
    return METRIC.score(embedded(said, *right), Example(id="1", any_of=("a",) * len(right))).value


def test_the_answer_and_each_right_one_are_embedded() -> None:
    example = Example(id="1", expected="big", any_of=("large",))
    request = METRIC.request(Outcome(text="huge", served_by="model"), example)
    assert [turn.text for turn in request.messages] == ["huge", "big", "large"]
    assert request.embed


def test_the_nearest_right_answer_counts_and_an_opposite_is_0() -> None:
    assert cosine([3, 0], [5, 0]) == pytest.approx(1)
    assert cosine([1, 1], [1, 0]) == pytest.approx(2**-0.5)
    assert cosine([1, 0], [0, 1], [4, 3]) == pytest.approx(0.8)
    assert cosine([1, 0], [-1, 0]) == 0
    assert cosine([1e-44, 0], [1e38, 0]) == pytest.approx(1)


VECTORS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3).filter(
    lambda one: any(abs(x) > 1e-3 for x in one)
)


@settings(max_examples=30)
@given(VECTORS, VECTORS)
def test_it_is_symmetric_and_within_0_and_1(first: list[float], second: list[float]) -> None:
    assert 0 <= cosine(first, second) <= 1
    assert cosine(first, second) == pytest.approx(cosine(second, first))
    assert cosine(first, first) == pytest.approx(1)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(text="Hello", served_by="model"),
        Outcome(text="", served_by="model", embedding="no base64!"),
        Outcome(text="", served_by="model", embedding="AAAA"),
        embedded([1.0, 2.0, 3.0]),
        embedded([0.0, 0.0], [1.0, 0.0]),
        embedded([1.0, 0.0], [inf, 0.0]),
    ],
)
def test_what_is_no_pair_of_embeddings_has_no_score(outcome: Outcome) -> None:
    with pytest.raises(NoScore, match="model:sim-embed gave"):
        METRIC.score(outcome, Example(id="1", expected="a"))
