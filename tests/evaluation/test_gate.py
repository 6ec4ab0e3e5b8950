from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from continuo.errors import InputError
from continuo.evaluation.gate import Finding, Limits, Sides, judge


def sides(baseline: Sequence[float], candidate: Sequence[float]) -> Sides:
    """Of examples 0, 1, 2 and so on."""
    return Sides(*({str(id): value for id, value in enumerate(values)} for values in (baseline, candidate)))


def passes(of: int, failures: int) -> list[float]:
    return [0.0] * failures + [1.0] * (of - failures)


def only(verdict_of: Sides, **limits: float) -> Finding:
    [finding] = judge({"exact": verdict_of}, {}, Limits.model_validate(limits)).findings
    return finding


def test_a_large_and_significant_loss_is_a_regression() -> None:
    verdict = judge({"exact": sides(passes(200, 10), passes(200, 40))}, {}, Limits())
    assert not verdict.passed
    [finding] = verdict.findings
    assert finding.status == "regression"
    assert finding.reason == (
        "0.950 → 0.800, by -0.150 (-0.200 to -0.100), p = 1.9e-09: a significant loss of 0.02 or more"
    )
    assert finding.comparison is not None
    assert finding.comparison.difference.count == 200


def test_a_significant_loss_that_is_smaller_than_the_minimum_effect_passes() -> None:
    both = sides([0.900] * 100, [0.895] * 100)
    assert only(both).status == "unchanged"
    assert only(both).reason.endswith("a significant loss, but of less than 0.02")
    assert only(both, min_effect=0.005).status == "regression"


def test_a_large_loss_that_may_be_chance_passes_and_says_how_many_examples_it_takes() -> None:
    verdict = judge({"exact": sides(passes(20, 2), passes(20, 5))}, {}, Limits())
    assert verdict.passed
    [finding] = verdict.findings
    assert finding.status == "unsure"
    assert finding.reason.endswith(
        "p = 0.25: no significant change, but 20 examples are few: to see a loss of 0.02 in 80% of cases takes 3927"
    )


def test_a_few_examples_without_any_change_are_not_sure_and_many_are() -> None:
    assert only(sides(passes(30, 3), passes(30, 3))).status == "unsure"
    assert only(sides(passes(300, 3), passes(300, 3))).status == "unchanged"
    assert only(sides(passes(30, 3), passes(30, 3)), min_effect=0.3).status == "unchanged"


def test_a_gain_is_an_improvement_and_passes() -> None:
    finding = only(sides(passes(200, 40), passes(200, 10)))
    assert finding.status == "improvement"
    assert finding.reason.endswith("a significant gain of 0.02 or more")


def test_with_many_metrics_a_loss_must_be_surer() -> None:
    loss = sides(passes(100, 10), passes(100, 17))
    assert only(loss).status == "regression"
    same = {f"other {number}": sides(passes(100, 10), passes(100, 10)) for number in range(9)}
    verdict = judge({"exact": loss, **same}, {}, Limits())
    assert verdict.passed
    assert "p = 0.16 after Holm's correction for 10 metrics" in verdict.findings[0].reason


def test_examples_that_only_one_side_has_are_left_out_and_named() -> None:
    baseline = {"a": 1.0, "b": 1.0, "c": 0.0, **{f"old {number}": 1.0 for number in range(7)}}
    finding = only(Sides(baseline, {"a": 1.0, "b": 1.0, "c": 0.0, "new": 0.0}))
    assert finding.comparison is not None
    assert finding.comparison.difference.count == 3
    assert finding.reason.endswith(
        "; only in the baseline: old 0, old 1, old 2, old 3, old 4 and 2 others; only in the candidate: new"
    )


@pytest.mark.parametrize(
    ("limit", "status", "reason"),
    [
        (1.2, "over_limit", "0.4 → 0.6, 1.50 times as much: over the limit of 1.2 times"),
        (1.5, "unchanged", "0.4 → 0.6, 1.50 times as much: within the limit of 1.5 times"),
    ],
)
def test_an_amount_may_rise_up_to_its_limit(limit: float, status: str, reason: str) -> None:
    cost = sides([0.1, 0.3], [0.2, 0.4])
    verdict = judge({}, {"cost": cost, "seconds": cost}, Limits(max_ratio={"cost": limit}))
    [finding] = verdict.findings
    assert (finding.status, finding.reason) == (status, reason)
    assert verdict.passed == (status == "unchanged")


@pytest.mark.parametrize(("after", "passed"), [(0.0, True), (0.1, False)])
def test_what_was_free_must_stay_free(after: float, passed: bool) -> None:
    assert judge({}, {"cost": sides([0.0], [after])}, Limits(max_ratio={"cost": 2})).passed == passed


@pytest.mark.parametrize("sides", [Sides({}, {}), Sides({"a": 1.0}, {}), Sides({"a": 1.0}, {"b": 1.0})])
def test_without_a_common_example_there_is_no_verdict(sides: Sides) -> None:
    with pytest.raises(InputError, match="exact: no example has it on both sides"):
        judge({"exact": sides}, {}, Limits())


def test_a_limit_of_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="max_ratio: there is no amount 'price'; name one of: cost"):
        judge({}, {"cost": sides([1], [1])}, Limits(max_ratio={"price": 1.1}))


@pytest.mark.parametrize("field", ["alpha", "min_effect", "power"])
@pytest.mark.parametrize("value", [0, 1, -0.1])
def test_limits_lie_between_0_and_1(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        Limits.model_validate({field: value})
