"""Thresholds of a cascade, tuned on one half of a table."""

import pytest

from continuo.authoring.edited import with_field
from continuo.errors import InputError
from continuo.evaluation.tuning import cascade_of, gated, halves, tuned_cascade
from continuo.patterns import Cached, Call, Cascade, Route, Step
from tests.support.tables import made

MINI, MID, PREMIUM = (Call(model=f"sim-{name}") for name in ("mini", "mid", "premium"))


@pytest.mark.parametrize("step", [Cascade(steps=(MINI, PREMIUM)), Cached(Cascade(steps=(MINI, MID, PREMIUM)))])
def test_the_cheapest_thresholds_are_chosen_that_keep_to_the_loss_in_training(step: Step) -> None:
    curve = tuned_cascade(step, made(600, 5), 0.02)
    assert curve.chosen is not None
    assert curve.chosen.lost_in_training <= 0.02
    cheaper = curve.points[curve.points.index(curve.chosen) + 1 :]
    assert cheaper
    assert all(point.lost_in_training > curve.chosen.lost_in_training for point in cheaper)
    assert curve.chosen.test.saved > 0.2
    assert not curve.chosen.test.worthless
    assert cascade_of(curve.chosen.pattern) != cascade_of(step)


def test_nothing_of_the_other_half_has_a_part_in_the_choice() -> None:
    step, questions = Cascade(steps=(MINI, PREMIUM)), made(400, 5)
    training, rest = halves(questions)
    others = [one.model_copy(update={"models": {**one.models, "sim-mini": one.models["sim-mid"]}}) for one in rest]
    one, other = (tuned_cascade(step, each, 0.02) for each in (questions, [*training, *others]))
    assert [(point.setting, point.lost_in_training) for point in one.points] == [
        (point.setting, point.lost_in_training) for point in other.points
    ]
    assert one.chosen is not None
    assert other.chosen is not None
    assert one.chosen.setting == other.chosen.setting
    assert one.chosen.test != other.chosen.test


def test_a_choice_passes_the_gate_unless_the_other_half_loses_more_than_is_allowed() -> None:
    step, questions = Cascade(steps=(MINI, PREMIUM)), made(600, 5)
    chosen = tuned_cascade(step, questions, 0.02).chosen
    assert chosen is not None
    wrong = {"correct": 0.0, "confidence": 1.0}
    lost = [
        one.model_copy(update={"models": {**one.models, "sim-mini": one.models["sim-mini"].model_copy(update=wrong)}})
        for one in questions
    ]
    assert gated(chosen, questions, 0.02).passed
    assert not gated(chosen, lost, 0.0).passed
    assert gated(chosen, lost, 1.0).passed


def test_where_every_choice_loses_more_none_is_chosen() -> None:
    weak = Cascade(steps=(PREMIUM, MINI))
    assert tuned_cascade(weak, made(400, 5), 0.0).chosen is not None
    noise = [
        question.model_copy(
            update={
                "models": {name: one.model_copy(update={"confidence": 1.0}) for name, one in question.models.items()}
            }
        )
        for question in made(400, 5)
    ]
    assert tuned_cascade(Cascade(steps=(MINI, PREMIUM)), noise, 0.01).chosen is None


def test_few_questions_are_refused_and_other_patterns_have_no_cascade_to_tune() -> None:
    with pytest.raises(InputError, match="20 questions are too few to tune by; give some 150 at least"):
        tuned_cascade(Cascade(steps=(MINI, PREMIUM)), made(20), 0.01)
    cascade = Cascade(steps=(MINI, PREMIUM))
    both = Route(by="length", branches={"local": cascade, "mini": cascade, "premium": MINI})
    others = (MINI, both, Cascade(steps=(MINI, PREMIUM), judge=MID), Cascade(steps=(MINI,)))
    assert [cascade_of(step) for step in others] == [None] * 4


def test_a_pattern_that_only_names_a_cascade_is_not_edited() -> None:
    with pytest.raises(InputError, match="its cascade stands in the file of another pattern, which it names"):
        with_field("pattern: {kind: named, name: other}\n", "cascade", "thresholds", "[0.5]")


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("pattern:\n  kind: cascade  # mine\n  steps: []\n", "  kind: cascade\n  thresholds: [0.5]  # mine\n  steps:"),
        ("pattern: {kind: cascade, steps: []}\n", "{kind: cascade, thresholds: [0.5], steps: []}"),
        (
            "pattern:\n  kind: cascade\n  thresholds:\n    - 0.9\n    - 0.8\n  steps: []\n",
            "thresholds:\n    [0.5]\n  steps",
        ),
        ("a: {kind: call}\nb: {thresholds: [0.9], kind: cascade} # x\n", "b: {thresholds: [0.5], kind: cascade} # x\n"),
    ],
)
def test_a_field_is_written_where_it_stands_and_all_else_stays(text: str, edited: str) -> None:
    assert edited in with_field(text, "cascade", "thresholds", "[0.5]")
