"""Patterns over tables: who is asked, what that saves, and whether it beats chance."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.evaluation.replay import Taken, TakenCall, answerable, models_of, rated, taken
from continuo.evaluation.savings import savings
from continuo.evaluation.table import Answer, Question
from continuo.patterns import Cached, Call, Cascade, Ensemble, Fallback, Route, Step
from tests.support.tables import made

MINI, MID, PREMIUM = (Call(model=f"sim-{name}") for name in ("mini", "mid", "premium"))
CASCADE = Cascade(steps=(MINI, MID, PREMIUM), thresholds=(0.85, 0.8))


def question(mini: float | None, mid: float | None = 0.0, prompt: str = "Which lamp?") -> Question:
    """Nobody but the premium model is right; to be asked how sure it is costs each a tenth."""
    sure = {"sim-mini": (mini, 1.0), "sim-mid": (mid, 5.0), "sim-premium": (None, 20.0)}
    answers = {
        model: Answer(correct=usd == 20, confidence=confidence, cost_usd=usd, rating_usd=usd / 10)
        for model, (confidence, usd) in sure.items()
    }
    return Question(prompt=prompt, models=answers)


@pytest.mark.parametrize(
    ("mini", "mid", "model", "asked"),
    [
        (0.85, None, "sim-mini", ["tier1"]),
        (0.8499, 0.8, "sim-mid", ["tier1", "tier2"]),
        (None, None, "sim-premium", ["tier1", "tier2", "tier3"]),
    ],
)
def test_a_cascade_goes_on_while_the_confidence_is_under_the_threshold(
    mini: float, mid: float, model: str, asked: list[str]
) -> None:
    went = taken(CASCADE, question(mini, mid))
    assert (went.model, [call.path for call in went.calls]) == (model, asked)


def test_a_route_takes_the_branch_of_its_score_also_behind_a_cache_and_within_a_fallback() -> None:
    step: Step = Fallback(
        steps=(Cached(Route(by="complexity", branches={"low": MINI, "medium": MID, "high": PREMIUM})), PREMIUM)
    )
    easy, hard = "Which lamp?", "Compare the python function f(x) to the other? Explain."
    assert taken(step, question(0, prompt=easy)) == Taken((TakenCall("tier1.miss.low", "sim-mini"),), "sim-mini")
    assert taken(step, question(0, prompt=hard)) == Taken((TakenCall("tier1.miss.high", "sim-premium"),), "sim-premium")


def test_only_where_a_cascade_looks_at_it_is_it_paid_to_know_how_sure_an_answer_is() -> None:
    step = Route(by="length", branches={"local": CASCADE, "mini": MID, "premium": PREMIUM})
    paths = ("local.tier1", "local.tier2", "local.tier3", "mini", "")
    assert [rated(step, path) for path in paths] == [True, True, False, False, False]
    asked = [question(0.0, 0.0)]
    found = savings(CASCADE, asked, [taken(CASCADE, asked[0])])
    assert found.pattern.cost_usd == pytest.approx(1 + 5 + 18)
    assert (found.dearest.cost_usd, found.dearest.accuracy) == (18, 1)
    assert found.saved == pytest.approx(1 - 24 / 18)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Ensemble(members=(MINI, MID)), "a ensemble like this cannot be decided by a table alone"),
        (Cascade(steps=(MINI, MID), judge=PREMIUM), "a cascade like this"),
        (Route(by="budget", branches={"premium": MINI}, default="premium"), "a route like this"),
    ],
)
def test_what_the_table_alone_cannot_decide_is_refused(step: Step, says: str) -> None:
    with pytest.raises(InputError, match=says):
        taken(step, question(0.5))


def test_questions_without_an_answer_of_each_model_are_left_out() -> None:
    whole = question(0.5)
    part = Question(prompt="Other?", models={"sim-mini": whole.models["sim-mini"]})
    assert answerable(CASCADE, [part, whole]) == [whole]
    with pytest.raises(InputError, match=r"no answers of 'sim-mid', but of sim-mini; name"):
        answerable(CASCADE, [part])


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=1, max_size=2))
def test_a_cascade_costs_no_less_for_higher_thresholds_and_the_mix_lies_between_its_ends(
    seed: int, thresholds: list[float]
) -> None:
    questions = made(30, seed)
    found = [
        savings(step, questions, [taken(step, one) for one in questions])
        for step in (CASCADE.model_copy(update={"thresholds": tuple(each)}) for each in (thresholds, [1.0]))
    ]
    assert found[0].pattern.cost_usd <= found[1].pattern.cost_usd
    for one in found:
        ends = sorted((one.cheapest.accuracy, one.dearest.accuracy))
        assert one.mix is not None
        assert ends[0] - 1e-9 <= one.mix <= ends[1] + 1e-9
        assert sum(one.answered.values()) == pytest.approx(1)


def test_a_confidence_that_tells_beats_the_random_mix_and_one_that_does_not_is_worthless() -> None:
    step = Cascade(steps=(MINI, PREMIUM), thresholds=(0.6,))
    told, noise = (made(1000, 7, telling=telling) for telling in (1.0, 0.0))
    good, bad = (savings(step, each, [taken(step, one) for one in each]) for each in (told, noise))
    assert not good.worthless
    assert good.beyond_mix is not None
    assert good.beyond_mix > 0.05
    assert bad.worthless


def test_a_model_alone_is_compared_with_no_mix() -> None:
    questions = made(10)
    found = savings(PREMIUM, questions, [taken(PREMIUM, one) for one in questions])
    assert (found.saved, found.lost, found.mix, found.worthless) == (0, 0, None, False)
    assert models_of(PREMIUM) == ("sim-premium",)
