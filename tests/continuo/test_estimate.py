"""The worst case of each pattern by hand, and the laws that hold for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.authoring.estimate import estimate
from continuo.config.catalog import Catalog
from continuo.patterns import (
    Cached,
    Call,
    Cascade,
    Deadline,
    Ensemble,
    Fallback,
    FanOut,
    Http,
    Pipeline,
    PipelineStep,
    Python,
    Retry,
    Route,
    Saga,
    SagaStep,
    Split,
    Step,
    Template,
    Variant,
)
from continuo.patterns.choices import Intent, Merge, Meta, Semantic
from continuo.patterns.worst import Estimate
from tests.support.trees import trees

PRICE = {"source": "here", "date": "2026-11-21"}
CATALOG = Catalog.model_validate(
    {
        "providers": {"p": {"protocol": "openai"}},
        "models": {
            "a": {"provider": "p", "price": {"input": 1000, "output": 2000, **PRICE}},
            "b": {"provider": "p", "price": {"input": 0, "output": 0, **PRICE}},
            "e": {"provider": "p", "price": {"input": 1, "output": 100, **PRICE}},
            "unpriced": {"provider": "p"},
        },
    }
)
ONCE = Retry(attempts=1)
A = Call(model="a", timeout=10, retry=ONCE)
B = Call(model="b", timeout=4, retry=ONCE)
A_COST = 3.0
"""1,000 tokens in at $1,000 a million, and 1,000 out at $2,000."""


def worst(step: Step) -> Estimate:
    return estimate(step, CATALOG, input_tokens=1000, output_tokens=1000)


def figures(step: Step) -> tuple[int, float | None, float]:
    found = worst(step)
    return found.calls, found.cost_usd and round(found.cost_usd, 9), round(found.seconds, 9)


UNDO = Http(service="s", path="/", timeout=1, retry=Retry(attempts=2, initial=10))
SAGA = Saga(
    undo_retry=Retry(attempts=2, initial=100, maximum=300),
    steps=(SagaStep(name="x", do=A, undo=UNDO), SagaStep(name="y", do=A)),
)
UNDONE = 2 * (1 + 12 + 1) + 120


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (A, (1, A_COST, 10)),
        (A.model_copy(update={"max_tokens": 500}), (1, 2.0, 10)),
        (A.model_copy(update={"max_tokens": 5000}), (1, A_COST, 10)),
        # Waits of 1 s and 2 s, and a fifth more by jitter.
        (A.model_copy(update={"retry": Retry(attempts=3)}), (3, 3 * A_COST, 30 + 1.2 + 2.4)),
        (A.model_copy(update={"retry": Retry(attempts=3, initial=5, maximum=6)}), (3, 3 * A_COST, 30 + 6 + 7.2)),
        (Call(model="unpriced", timeout=10, retry=ONCE), (1, None, 10)),
        (Template(text="Sorry."), (0, 0, 0)),
        (UNDO, (0, 0, 14)),
        (Python(function="mine:f", timeout=5, retry=Retry(attempts=2, initial=10)), (0, 0, 22)),
        (Fallback(steps=(A, B, Template(text="Sorry."))), (2, A_COST, 14)),
        (Cascade(steps=(B, A)), (2, A_COST, 14)),
        (Cascade(steps=(B, A, A), judge=B), (5, 2 * A_COST, 32)),
        (A >> B, (2, A_COST, 14)),
        (Route(by=Intent(step=B), branches={"x": A, "y": Fallback(steps=(B, B, B))}, default="x"), (4, A_COST, 16)),
        (A | B, (2, A_COST, 10)),
        (FanOut(branches={"x": A, "y": B}, branch_timeout=3, merge=Merge(step=A)), (3, 2 * A_COST, 13)),
        (Ensemble(members=(A, A, B)), (3, 2 * A_COST, 10)),
        (Ensemble(members=(A, B), combine=Meta(step=A)), (3, 2 * A_COST, 20)),
        (Ensemble(members=(A, B), combine=Meta(step=B), otherwise=A >> B), (4, 2 * A_COST, 24)),
        (Cached(A), (1, A_COST, 10)),
        (Cached(A, semantic=Semantic(model="e")), (4, A_COST + 0.003, 10 + 360 + 3.6)),
        (Deadline(A, limit=3), (1, A_COST, 3)),
        (Deadline(A, limit=30, otherwise=B), (2, A_COST, 14)),
        (Split(variants={"x": Variant(step=A), "y": Variant(step=B >> B >> B)}, shadow={"z": A}), (4, 2 * A_COST, 12)),
        (SAGA, (2, 2 * A_COST, 20 + UNDONE)),
        # A saga that is cut off is still undone.
        (Deadline(SAGA, limit=5), (2, 2 * A_COST, 5 + UNDONE)),
    ],
)
def test_the_worst_case_of_each_pattern(step: Step, expected: tuple[int, float | None, float]) -> None:
    assert figures(step) == (expected[0], expected[1], round(expected[2], 9))


UNKNOWN = Call(model="unpriced")


@pytest.mark.parametrize(
    "step",
    [
        Fallback(steps=(A, UNKNOWN)),
        A | UNKNOWN,
        Route(by="length", branches={"local": A, "mini": UNKNOWN}, default="local"),
        Ensemble(members=(A, B), otherwise=UNKNOWN),
        Split(variants={"x": Variant(step=A)}, shadow={"y": UNKNOWN}),
        Cached(A, semantic=Semantic(model="nobody knows")),
    ],
)
def test_an_unknown_price_makes_the_whole_cost_unknown_wherever_it_may_be_met(step: Step) -> None:
    assert worst(step).cost_usd is None


def test_a_very_long_series_of_attempts_is_summed_at_once() -> None:
    found = worst(Call(model="a", timeout=1, retry=Retry(attempts=1000, maximum=30)))
    assert found.calls == 1000
    assert found.seconds == pytest.approx(1000 * 37, rel=1e-2)


Trees = trees(["a", "b", "e"], depth=3)


@given(Trees)
def test_a_worst_case_is_never_negative_and_known_when_every_price_is(step: Step) -> None:
    found = worst(step)
    assert found.calls >= 0
    assert found.cost_usd is not None
    assert found.cost_usd >= 0
    assert found.seconds >= 0


@given(Trees)
def test_a_pattern_of_one_step_takes_what_the_step_takes(step: Step) -> None:
    alone = worst(step)
    assert worst(Fallback(steps=(step,))) == alone
    assert worst(Cascade(steps=(step,))) == alone
    assert worst(Pipeline(steps=(PipelineStep(name="x", step=step),))) == alone
    assert worst(FanOut(branches={"x": step})) == alone
    assert worst(Split(variants={"x": Variant(step=step)})) == alone
    assert worst(Cached(step)) == alone
    assert worst(Saga(steps=(SagaStep(name="x", do=step),))) == alone


def assert_no_less(more: Estimate, less: Estimate) -> None:
    assert more.calls >= less.calls
    assert more.cost_usd is not None
    assert less.cost_usd is not None
    assert more.cost_usd >= less.cost_usd
    assert more.seconds >= less.seconds


@given(Trees, Trees)
def test_one_more_step_never_lowers_anything(first: Step, second: Step) -> None:
    for step in (first, second):
        assert_no_less(worst(Fallback(steps=(first, second))), worst(step))
        assert_no_less(worst(FanOut(branches={"x": first, "y": second})), worst(step))
        assert_no_less(worst(Deadline(first, limit=2_592_000, otherwise=second)), worst(step))
        assert_no_less(worst(Split(variants={"x": Variant(step=first)}, shadow={"y": second})), worst(first))


@given(Trees, Trees)
def test_at_once_costs_what_one_after_the_other_does_and_takes_no_longer(first: Step, second: Step) -> None:
    at_once = worst(FanOut(branches={"x": first, "y": second}))
    in_turn = worst(Fallback(steps=(first, second)))
    assert at_once.calls == in_turn.calls
    assert at_once.cost_usd == pytest.approx(in_turn.cost_usd)
    assert at_once.seconds <= in_turn.seconds or at_once.seconds == pytest.approx(in_turn.seconds)


@given(trees(["a", "b"], depth=3, sagas=False), st.floats(0.1, 100))
def test_a_limit_bounds_the_time_and_nothing_else(step: Step, limit: float) -> None:
    alone, limited = worst(step), worst(Deadline(step, limit=limit))
    assert limited.seconds == min(alone.seconds, limit)
    assert (limited.calls, limited.cost_usd) == (alone.calls, alone.cost_usd)


@given(Trees, st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_tokens_never_cost_less(step: Step, fewer: int, extra: int) -> None:
    less = estimate(step, CATALOG, input_tokens=fewer, output_tokens=fewer)
    assert_no_less(estimate(step, CATALOG, input_tokens=fewer + extra, output_tokens=fewer + extra), less)


def test_of_several_deployments_the_dearest_is_the_worst() -> None:
    places = [{"id": "list"}, {"id": "dear", "price": {"input": 3000, "output": 1, **PRICE}}]
    line = {"provider": "p", "price": {"input": 1000, "output": 2000, **PRICE}, "deployments": places}
    providers = {"p": {"protocol": "openai", "base_url": "http://p"}}
    catalog = Catalog.model_validate({"providers": providers, "models": {"d": line}})
    once = Call(model="d", retry=Retry(attempts=1))
    assert estimate(once, catalog, input_tokens=1_000_000, output_tokens=0).cost_usd == 3000
    assert estimate(once, catalog, input_tokens=0, output_tokens=1_000_000).cost_usd == 2000
