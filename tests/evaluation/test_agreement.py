from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.evaluation.agreement import (
    Level,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    weighted_kappa,
)

CANONICAL = (
    (None, None, None, None, None, 3, 4, 1, 2, 1, 1, 3, 3, None, 3),
    (1, None, 2, 1, 3, 3, 4, 3, None, None, None, None, None, None, None),
    (None, None, 2, 1, 3, 4, 4, None, 2, 1, 1, 3, 3, None, 4),
)
"""A row a rater, a column an example."""

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
labels = st.sampled_from(["good", "fair", "poor"])
pairs = st.lists(st.tuples(labels, labels), min_size=1, max_size=20)
numbers = st.lists(st.lists(st.none() | st.integers(0, 4), max_size=4), max_size=10)


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.6914), ("ordinal", 0.8067), ("interval", 0.8108), ("ratio", 0.8089)]
)
def test_alpha_of_the_canonical_matrix_is_the_published_one(level: Level, alpha: float) -> None:
    examples = [*zip(*CANONICAL, strict=True)]
    assert krippendorff_alpha(examples, level) == pytest.approx(alpha, abs=5e-5)
    # Who rated is nothing to it, so what is missing may as well be left out.
    assert krippendorff_alpha([[v for v in values if v is not None] for values in examples], level) == pytest.approx(
        alpha, abs=5e-5
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ratings", [[], [[]], [[None, None]], [[1], [2], [3]], [[1, None], [None, 2]]])
def test_alpha_is_unknown_where_no_example_has_two_ratings(
    level: Level, ratings: Sequence[Sequence[float | None]]
) -> None:
    assert krippendorff_alpha(ratings, level) is None


@pytest.mark.parametrize("level", LEVELS)
def test_raters_who_always_say_the_same_agree(level: Level) -> None:
    assert krippendorff_alpha([[0, 0], [0, 0, None]], level) == 1
    assert krippendorff_alpha([[1, 1], [2, 2], [5, 5]], level) == 1


@given(numbers)
def test_alpha_depends_on_the_order_neither_of_raters_nor_of_examples(ratings: list[list[int | None]]) -> None:
    turned = [list(reversed(values)) for values in reversed(ratings)]
    for level in LEVELS:
        alpha = krippendorff_alpha(ratings, level)
        assert alpha is None or alpha <= 1
        assert krippendorff_alpha(turned, level) == pytest.approx(alpha)


def test_alpha_of_two_classes_is_the_same_on_each_level_of_distance() -> None:
    ratings = [[0, 0], [0, 1], [1, 1], [1, 1], [0, 0]]
    alphas = [krippendorff_alpha(ratings, level) for level in LEVELS]
    assert alphas == pytest.approx([alphas[0]] * 4)


@pytest.mark.parametrize(
    ("ratings", "level", "message"),
    [([["a", "b"]], "interval", "'a' is no number"), ([[-1, 2]], "ratio", "-1 is below 0")],
)
def test_alpha_refuses_what_its_level_does_not_have(
    ratings: list[list[str | float]], level: Level, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        krippendorff_alpha(ratings, level)


def test_cohens_kappa_is_that_of_the_text_books() -> None:
    # 50 applications: both yes 20, only the first 5, only the second 10, both no 15.
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(a, b) == pytest.approx(0.4)


@given(pairs)
def test_cohens_kappa_is_1_of_the_same_labels_and_no_more_of_others(pairs: list[tuple[str, str]]) -> None:
    a, b = map(list, zip(*pairs, strict=True))
    assert cohen_kappa(a, a) == 1
    assert cohen_kappa(a, b) == pytest.approx(cohen_kappa(b, a))
    assert cohen_kappa(a, b) <= 1


def test_of_weighted_kappa_a_near_miss_costs_less() -> None:
    right = [1, 2, 3, 4, 5]
    assert weighted_kappa(right, [1, 2, 3, 4, 4]) > weighted_kappa(right, [1, 2, 3, 4, 1])
    # With quadratic weights and the same spread on both sides it is the correlation.
    assert weighted_kappa(right, [2, 1, 3, 5, 4]) == pytest.approx(0.8)


@pytest.mark.parametrize(("a", "b"), [([], []), (["x"], []), (["x"], ["x", "y"])])
def test_two_raters_who_rated_not_the_same_are_refused(a: list[str], b: list[str]) -> None:
    with pytest.raises(InputError, match="same examples, one or more"):
        cohen_kappa(a, b)


def test_fleiss_kappa_is_that_of_the_text_books() -> None:
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = [[name for name, count in zip("12345", row, strict=True) for _ in range(count)] for row in counts]
    assert fleiss_kappa(ratings) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_is_1_of_one_label_alone() -> None:
    assert fleiss_kappa([["x", "x"], ["x", "x"]]) == 1


@pytest.mark.parametrize("ratings", [[], [["x"]], [["x", "y"], ["x", "y", "y"]]])
def test_fleiss_kappa_refuses_what_is_not_rated_as_often(ratings: list[list[str]]) -> None:
    with pytest.raises(InputError, match="as many, two or more"):
        fleiss_kappa(ratings)
