"""The two tables, row by row, and their edges."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.authoring.files import load_pattern
from continuo.authoring.recommend import Needs, recommend
from continuo.config.defaults import DEFAULTS
from continuo.patterns import Cached, Call, Ensemble, Fallback, Route, Saga, Spec, Step
from continuo.patterns.walk import specs

SHIPPED = {path.stem: load_pattern(path).pattern for path in (DEFAULTS / "patterns").glob("*.yaml")}
CALL = Call(model="mini")


def patterns(**needs: Any) -> list[str]:
    return [advice.use for advice in recommend(Needs(**needs), {}).patterns]


def deployment(**needs: Any) -> str:
    return recommend(Needs(**needs), {}).deployment.use


@pytest.mark.parametrize(
    ("needs", "uses"),
    [
        ({"accuracy": True}, ["ensemble"]),
        ({"variable_complexity": True}, ["route"]),
        ({"unreliable_primary": True}, ["fallback with breaker"]),
        ({"repetition": 0.31}, ["cached"]),
        ({"repetition": 0.3}, ["pipeline", "fan_out"]),
        ({"transaction": True}, ["saga"]),
        ({"contention": True}, ["bulkhead"]),
        ({"large_tasks": True}, ["orchestrate"]),
        ({}, ["pipeline", "fan_out"]),
        ({"contention": True, "repetition": 0.9, "accuracy": True}, ["ensemble", "cached", "bulkhead"]),
    ],
)
def test_every_pattern_that_applies_is_told_in_the_tables_order(needs: dict[str, Any], uses: list[str]) -> None:
    assert patterns(**needs) == uses


@pytest.mark.parametrize(
    ("needs", "use"),
    [
        ({"team": 4, "complexity": "low"}, "one process"),
        ({"team": 5, "complexity": "low"}, "layered with cache"),
        ({"team": 4, "complexity": "high", "requests_per_second": 20_000}, "split services"),
        ({"team": 4, "requests_per_second": 20_000}, "split services"),
        ({"requests_per_second": 999}, "layered with cache"),
        ({"requests_per_second": 999, "variable_load": True}, "layered with cache"),
        ({"requests_per_second": 1_000, "variable_load": True}, "serverless"),
        ({"requests_per_second": 10_000, "real_time": True}, "event driven"),
        ({"requests_per_second": 10_000}, "layered with cache"),
        ({"requests_per_second": 10_001, "real_time": True}, "split services"),
        ({"real_time": True, "variable_load": True}, "event driven"),
        ({"variable_load": True}, "serverless"),
        ({}, "layered with cache"),
    ],
)
def test_the_first_deployment_that_applies_is_told(needs: dict[str, Any], use: str) -> None:
    assert deployment(**needs) == use


@pytest.mark.parametrize(
    ("need", "kind"),
    [
        ("accuracy", Ensemble),
        ("variable_complexity", Route),
        ("unreliable_primary", Fallback),
        ("transaction", Saga),
    ],
)
def test_a_pattern_that_ships_shows_it(need: str, kind: type[Spec]) -> None:
    [advice] = recommend(Needs.model_validate({need: True}), SHIPPED).patterns
    assert advice.example is not None
    assert any(isinstance(spec, kind) for spec in specs(SHIPPED[advice.example]))


def test_what_no_pattern_shows_has_no_example() -> None:
    assert recommend(Needs(contention=True), SHIPPED).patterns[0].example is None


def test_the_example_is_the_plainest_that_begins_with_it() -> None:
    named: dict[str, Step] = {
        "inner": Fallback(steps=(Cached(CALL), CALL)),
        "large": Cached(Fallback(steps=(CALL, CALL))),
        "small": Cached(CALL),
    }
    assert recommend(Needs(repetition=1), named).patterns[0].example == "small"
    assert recommend(Needs(unreliable_primary=True), named).patterns[0].example == "inner"


@pytest.mark.parametrize("wrong", [{"repetition": 40}, {"repetition": -0.1}, {"team": 0}, {"requests_per_second": -1}])
def test_a_number_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Needs(**wrong)


@given(st.builds(Needs))
def test_there_is_always_an_answer(needs: Needs) -> None:
    found = recommend(needs, {})
    assert found.patterns
    assert found.deployment.why
