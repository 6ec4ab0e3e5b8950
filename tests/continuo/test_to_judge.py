"""Which runs a judge rates, and how far it agrees with people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.evaluation.agreement import with_people
from continuo.operations.agreement import agreements
from continuo.operations.to_judge import JudgeQuery
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done

RUNS = [done(f"r{number}", number) for number in range(30)]
COPIES = [done(f"c{number}", 99, workflow_id=f"w-r{number}.shadow.x", shadow_of=f"w-r{number}") for number in range(30)]


def drawn(sample: float) -> list[str]:
    return [row.run_id for row in JudgeQuery(judge="model:m", sample=sample).left([*COPIES, *RUNS], [])]


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_larger_sample_holds_the_smaller_one_and_each_run_its_shadows(a: float, b: float) -> None:
    few, more = drawn(min(a, b)), drawn(max(a, b))
    assert {*few} <= {*more}
    assert {id[1:] for id in few if id[0] == "c"} == {id[1:] for id in few if id[0] == "r"}


def test_all_are_drawn_the_oldest_first_but_what_this_judge_has_rated_in_this_dimension() -> None:
    query = JudgeQuery(judge="model:m", sample=1)
    others = [rating("r0", rater="ann"), rating("r1", rater=query.rater, dimension="accuracy", source="judge")]
    left = query.left([*COPIES, *RUNS], [query.rating(RUNS[2], 1, "Right."), *others])
    assert [row.run_id for row in left[:29]] == [row.run_id for row in RUNS if row.run_id != "r2"]
    assert {row.run_id for row in left[29:]} == {row.run_id for row in COPIES}


def test_a_judge_is_no_rater_among_people_and_is_beside_the_mean_of_what_they_said() -> None:
    judge = [rating(f"r{n}", rater="judge m", source="judge", value=value) for n, value in enumerate([1, 0.5, 0, 1])]
    people = [
        rating("r0", value=1, dimension="accuracy"),
        rating("r0", rater="bob", value=1, source="api", scale="thumb"),
        rating("r1", value=0.5),
        rating("r2", value=1),
    ]
    found = agreements([*judge, *people])
    [one] = found.judges
    assert (one.judge, one.dimension, one.examples) == ("judge m", "overall", 3)
    assert one.kappa == pytest.approx(with_people([1, 0.5, 0], [1, 0.5, 1]).kappa)
    assert [(row.dimension, row.raters) for row in found.dimensions] == []
    assert agreements(judge).judges == ()


def test_the_agreement_is_whole_where_both_say_the_same_and_none_where_they_say_the_opposite() -> None:
    same = with_people([0, 0.5, 1], [0, 0.5, 1])
    assert (same.examples, same.kappa, same.alpha) == (3, 1, 1)
    assert with_people([0, 1], [1, 0]).kappa == pytest.approx(-1)
