"""A learned router: what it sees, how it decides, and how it is learned."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.decisions.classify import classify
from continuo.decisions.learned import features, learned_label
from continuo.evaluation.routing import learned_route, route_of
from continuo.evaluation.table import Answer, Question
from continuo.patterns import Call, Cascade, Route
from continuo.patterns.choices import FEATURES, Learned

SMALL, LARGE = Call(model="sim-mini"), Call(model="sim-premium")
ROUTE = Route(by="length", branches={"local": SMALL, "mini": SMALL, "premium": LARGE})


def learned(**handicaps: float) -> Learned:
    """The small model is right where there is no digit, the large one always."""
    return Learned(weights={"small": {"one": 2.0, "digits": -5.0}, "large": {"one": 2.1}}, handicaps=handicaps)


@pytest.mark.parametrize(
    ("handicaps", "prompt", "label"),
    [
        ({}, "Who wrote it?", "large"),
        ({"large": 0.1}, "Who wrote it?", "small"),
        ({"large": 0.1}, "What is 17 times 24?", "large"),
        ({"large": 0.9}, "What is 17 times 24?", "small"),
    ],
)
def test_the_branch_is_taken_that_is_most_likely_right_less_its_handicap(
    handicaps: dict[str, float], prompt: str, label: str
) -> None:
    assert classify(learned(**handicaps), prompt, None) == label


@settings(max_examples=50)
@given(st.text(max_size=80), st.dictionaries(st.sampled_from(FEATURES), st.floats(-1e6, 1e6), max_size=5))
def test_whatever_the_prompt_and_the_weights_it_decides(prompt: str, weights: dict[str, float]) -> None:
    assert len(features(prompt)) == len(FEATURES)
    assert learned_label(Learned(weights={"a": weights, "b": {}}), prompt) in ("a", "b")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"weights": {"a": {"wrods": 1.0}}}, "unknown feature 'wrods'; did you mean 'words'"),
        ({"weights": {"a": {}}, "handicaps": {"b": 0.1}}, "unknown branch of handicaps 'b'"),
        ({"weights": {}}, "weights"),
    ],
)
def test_a_mistake_is_told(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Learned.model_validate(fields)


def test_a_branch_of_a_learned_route_is_one_of_its_labels() -> None:
    with pytest.raises(ValidationError, match="unknown label of the classifier 'learned'"):
        Route(by=learned(), branches={"small": SMALL, "large": LARGE, "other": LARGE})


def test_a_router_learns_where_the_small_model_fails() -> None:
    right, usd = {"sim-mini": (True, False), "sim-premium": (True, True)}, {"sim-mini": 0.1, "sim-premium": 1.0}
    questions = [
        Question(
            prompt=f"What is {number} times {number}?"
            if number % 2
            else f"Who wrote the book {'very ' * (number % 9)}?",
            models={
                model: Answer(correct=each[number % 2] != (number % 20 == 0), cost_usd=usd[model])
                for model, each in right.items()
            },
        )
        for number in range(400)
    ]
    curve = learned_route(ROUTE, questions, 0.02)
    assert curve.chosen is not None
    assert curve.chosen.test.saved == pytest.approx(0.45, abs=0.1)
    assert curve.chosen.test.lost == pytest.approx(0, abs=0.01)
    by = Learned.model_validate(json.loads(curve.chosen.setting))
    assert [classify(by, prompt, None) for prompt in ("What is 21 times 21?", "Who wrote the book very?")] == [
        "premium",
        "local",
    ]


def test_only_a_route_to_calls_can_learn() -> None:
    assert route_of(Cascade(steps=(SMALL, LARGE))) is None
    assert route_of(Route(by="budget", branches={"premium": ROUTE}, default="premium")) is None
    assert route_of(ROUTE) == ROUTE
