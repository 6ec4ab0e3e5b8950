"""Variants of a split are compared with the first one."""

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from continuo.evaluation.variants import LiveRun, compared

QUALITIES = st.lists(st.floats(0, 1) | st.none(), max_size=30)


def rated(*qualities: float | None) -> list[LiveRun]:
    return [LiveRun(failed=False, quality=quality) for quality in qualities]


def test_each_has_its_share_its_failures_and_what_answers_took() -> None:
    runs = [LiveRun(False, 0.1, 100.0), LiveRun(False, 0.3, 300.0), LiveRun(False, None, 200.0), LiveRun(True, 0.2)]
    found = compared("p", {"a": 3, "b": 1}, ["c"], {("a", False): runs}, 0.05)
    a, b, c = found.arms
    assert [(arm.variant, arm.weight, arm.shadow, arm.runs) for arm in (a, b, c)] == [
        ("a", 0.75, False, 4),
        ("b", 0.25, False, 0),
        ("c", None, True, 0),
    ]
    assert a.errors is not None
    assert a.cost_usd is not None
    assert (a.errors.mean, a.latency_ms, a.latency_p95_ms, a.quality) == (0.25, 200, 300, None)
    assert isclose(a.cost_usd, 0.2)
    assert (b.errors, b.cost_usd, b.latency_ms, b.quality, b.look) == (None, None, None, None, None)
    assert a.verdict == "baseline"
    assert b.verdict.startswith("go on: about ")


def test_one_that_is_clearly_better_or_worse_stops_the_test_and_one_that_is_alike_does_too() -> None:
    alike = [1.0, 0.0] * 3000
    runs = {
        ("now", False): rated(*alike),
        ("same", False): rated(*alike),
        ("new", False): rated(*[1.0] * 500, *[0.0] * 100),
        ("old", True): rated(*[0.0] * 500, *[1.0] * 100),
        ("few", True): rated(1.0, 0.0),
    }
    found = compared("p", {"now": 1, "same": 1, "new": 1}, ["old", "few"], runs, 0.05)
    verdicts = {arm.variant: arm.verdict for arm in found.arms}
    assert verdicts["same"] == "stop: no difference that matters"
    assert verdicts["new"] == "stop: better by 0.333"
    assert verdicts["old"] == "stop: worse by 0.333"
    assert verdicts["few"].startswith("go on: about ")


@given(QUALITIES, QUALITIES)
def test_what_is_not_rated_changes_no_verdict(a: list[float | None], b: list[float | None]) -> None:
    def arms(*, unrated: int) -> list[object]:
        more = rated(*[None] * unrated)
        runs = {("a", False): [*rated(*a), *more], ("b", False): [*more, *rated(*b)]}
        return [(arm.quality, arm.look, arm.verdict) for arm in compared("p", {"a": 1, "b": 1}, [], runs, 0.1).arms]

    assert arms(unrated=0) == arms(unrated=7)
