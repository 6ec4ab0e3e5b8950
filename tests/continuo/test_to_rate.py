"""Which runs a person rates, in what order, and how far those agree who did."""

from hypothesis import given
from hypothesis import strategies as st

from continuo.operations.agreement import agreements
from continuo.operations.ratings import Dimension, Rating, of_five, out_of_five
from continuo.operations.runs import RunRow
from continuo.operations.to_rate import DIMENSIONS, RatingQuery
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done

RUNS = [done(f"r{number}") for number in range(9)]


def scored(run: str, rater: str, score: int, dimension: Dimension = "accuracy") -> Rating:
    return rating(run, rater=rater, value=of_five(score), dimension=dimension)


def ids(query: RatingQuery, rows: list[RunRow], ratings: list[Rating] | None = None) -> list[str]:
    return [one.row.run_id for one in query.left(rows, ratings or [])]


@given(st.integers(1, 5))
def test_a_score_is_kept_exactly(score: int) -> None:
    assert out_of_five(of_five(score)) == score


@given(st.integers(), st.sets(st.sampled_from(range(9))))
def test_the_order_is_that_of_the_seed_for_every_rater_whichever_runs_there_are(seed: int, some: set[int]) -> None:
    whole = ids(RatingQuery(rater="ann", seed=seed), RUNS)
    assert sorted(whole) == [row.run_id for row in RUNS]
    part = ids(RatingQuery(rater="bob", seed=seed), [RUNS[number] for number in some])
    assert part == [run for run in whole if run in part]


def test_the_order_is_another_by_another_seed() -> None:
    assert len({tuple(ids(RatingQuery(rater="ann", seed=seed), RUNS)) for seed in range(5)}) > 1


def test_a_rater_is_asked_for_what_that_rater_has_not_given() -> None:
    given = [scored("r0", "ann", 3, dimension) for dimension in DIMENSIONS] + [scored("r1", "ann", 3)]
    left = {one.row.run_id: one.dimensions for one in RatingQuery(rater="ann").left(RUNS[:3], given)}
    assert left == {"r1": ("relevance", "helpfulness"), "r2": DIMENSIONS}
    assert sorted(ids(RatingQuery(rater="bob"), RUNS[:3], given)) == ["r0", "r1", "r2"]


def test_what_two_disagree_on_comes_first_for_a_third_until_one_has_rated_it() -> None:
    last = ids(RatingQuery(rater="cleo"), RUNS)[-1]
    two = [scored(last, "ann", 5), scored(last, "bob", 3)]
    assert ids(RatingQuery(rater="cleo"), RUNS, two)[0] == last
    assert ids(RatingQuery(rater="dora"), RUNS, [*two, scored(last, "cleo", 4)])[-1] == last
    near = [scored(last, "ann", 5), scored(last, "bob", 4)]
    assert ids(RatingQuery(rater="cleo"), RUNS, near)[-1] == last


def test_runs_are_chosen_by_variant_shadow_and_batch() -> None:
    rows = [
        done("a").model_copy(update={"variant": "now"}),
        done("b", shadow_of="w-a", workflow_id="w-a.shadow.new"),
        done("c", workflow_id="batch:acme/batch_1/1"),
        done("d", workflow_id="batch:acme/batch_10/1"),
    ]
    assert ids(RatingQuery(rater="ann", variant="now"), rows) == ["a"]
    assert ids(RatingQuery(rater="ann", variant="new"), rows) == ["b"]
    assert ids(RatingQuery(rater="ann", batch="batch_1"), rows) == ["c"]


def test_two_raters_have_cohens_kappa_and_three_fleiss_over_the_runs_that_all_have_rated() -> None:
    two = [
        scored(f"r{number}", rater, score) for number in range(4) for rater, score in (("ann", 1 + number), ("bob", 4))
    ]
    (of_two,) = agreements(two).dimensions
    assert (of_two.raters, of_two.runs, of_two.kappa) == (2, 4, 0)
    third = [scored("r3", "cleo", 4), scored("r9", "cleo", 1)]
    (of_three,) = agreements([*two, *third]).dimensions
    assert (of_three.raters, of_three.runs, of_three.kappa) == (3, 4, 1)
    assert of_three.alpha is not None
    assert of_three.alpha < 1


def test_disputes_are_listed_with_those_that_are_settled_last() -> None:
    ratings = [scored("r1", "ann", 1), scored("r1", "bob", 3), scored("r1", "cleo", 3)]
    ratings += [scored("r2", "ann", 1), scored("r2", "bob", 5), scored("r3", "ann", 1), scored("r3", "bob", 2)]
    found = agreements(ratings)
    assert [(one.run_id, one.settled) for one in found.disputes] == [("r2", False), ("r1", True)]
    assert found.disputes[0].scores == {"ann": 1, "bob": 5}


def test_thumbs_and_judges_are_no_peoples_scores() -> None:
    others = [rating(rater="key", scale="thumb", source="api"), rating(rater="judge", source="judge"), rating()]
    assert agreements(others).dimensions == ()
