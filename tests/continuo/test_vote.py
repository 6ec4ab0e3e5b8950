from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.vote import (
    Decision,
    Vote,
    average,
    label,
    majority,
    unanimous_or_weighted,
    undecidable,
    weighted_vote,
)

unit = st.floats(0, 1)
ballots = st.lists(
    st.builds(
        Vote,
        member=st.text("abc", min_size=1, max_size=2),
        text=st.sampled_from(["spam", "Spam ", "ham", "eggs"]),
        confidence=st.none() | unit,
        weight=st.floats(0.01, 100),
    ),
    min_size=1,
    max_size=7,
)
quorums = st.integers(1, 8)


def votes(*said: tuple[str, float | None]) -> list[Vote]:
    """Of members a, b, c and so on."""
    return [Vote(member="abcdef"[at], text=text, confidence=sure) for at, (text, sure) in enumerate(said)]


def labels(found: list[Vote]) -> list[str]:
    return [label(vote.text, None) for vote in found]


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        (" Not\n SPAM ", None, "not spam"),
        ('{"verdict": " Block "}', None, '{"verdict": " block "}'),
        ('{"verdict": " Block "}', "verdict", "block"),
        ('```json\n{"verdict": "Block"}\n```', "verdict", "block"),
        ('{"verdict": 4}', "verdict", "4"),
        ('{"verdict": true}', "verdict", "true"),
        ('{"verdict": null}', "verdict", "null"),
        ('{"verdict": ["A"]}', "verdict", '["a"]'),
        ('{"verdict": ""}', "verdict", ""),
        ('{"other": "A"}', "verdict", '{"other": "a"}'),
        ("Block", "verdict", "block"),
        ('["Block"]', "verdict", '["block"]'),
    ],
)
def test_votes_are_compared_by_their_text_or_a_field_of_it(text: str, field: str | None, expected: str) -> None:
    assert label(text, field) == expected


def test_members_who_agree_are_unanimous_in_the_words_of_the_most_confident() -> None:
    found = unanimous_or_weighted(votes(("spam", 0.5), ("Spam ", 0.9), ("SPAM", None)), None)
    assert found == Decision(text="Spam ", consensus="unanimous", confidence=1.9 / 3, winner="b")


@pytest.mark.parametrize(
    ("said", "winner", "confidence"),
    [
        ([("a", 0.6), ("b", 0.9), ("a", 0.7)], "b", 0.9),
        ([("a", 0.6), ("b", 0.6)], "a", 0.6),
        ([("a", None), ("b", 0.5)], "a", None),
        ([("a", None), ("b", 0.4)], "a", None),
        ([("a", None), ("b", 0.51)], "b", 0.51),
    ],
)
def test_members_who_differ_leave_it_to_the_most_confident_and_then_to_the_earlier(
    said: list[tuple[str, float | None]], winner: str, confidence: float | None
) -> None:
    found = unanimous_or_weighted(votes(*said), None)
    assert (found.consensus, found.winner, found.confidence) == ("weighted", winner, confidence)


@given(ballots)
def test_a_decision_is_unanimous_exactly_if_all_labels_are_equal(found: list[Vote]) -> None:
    decision = unanimous_or_weighted(found, None)
    assert (decision.consensus == "unanimous") == (len(set(labels(found))) == 1)


@pytest.mark.parametrize(
    ("quorum", "winner", "confidence"), [(1, "c", 0.7), (2, "c", 0.7), (3, "c", 0.7), (4, None, None)]
)
def test_a_quorum_speaks_in_the_words_of_its_most_confident_member(
    quorum: int, winner: str | None, confidence: float | None
) -> None:
    found = majority(votes(("a", 0.6), ("b", 1.0), ("A", 0.9), ("a", 0.6)), quorum, None)
    assert (found and found.winner) == winner
    assert (found and found.confidence) == (confidence and pytest.approx(confidence))
    assert found is None or (found.consensus, found.text) == ("majority", "A")


def test_of_two_labels_the_one_that_reaches_the_quorum_first_wins() -> None:
    found = majority(votes(("a", 0.1), ("b", 0.9), ("b", 0.9), ("a", 0.1)), 2, None)
    assert found is not None
    assert found.text == "b"


@given(ballots, st.data())
def test_a_majority_does_not_depend_on_the_order_of_the_votes(found: list[Vote], data: st.DataObject) -> None:
    """A quorum of more than half: of a smaller one, several labels may be first."""
    quorum = len(found) // 2 + 1
    one, other = majority(found, quorum, None), majority(data.draw(st.permutations(found)), quorum, None)
    assert (one and label(one.text, None)) == (other and label(other.text, None))
    assert (one and one.confidence) == (other and other.confidence)


@given(ballots, quorums)
def test_a_majority_is_reached_exactly_if_enough_say_the_same(found: list[Vote], quorum: int) -> None:
    most = max(labels(found).count(name) for name in labels(found))
    assert (majority(found, quorum, None) is not None) == (most >= quorum)


@given(ballots, quorums, st.integers(0, 5))
def test_what_is_decided_is_not_undecidable(found: list[Vote], quorum: int, waiting: int) -> None:
    if majority(found, quorum, None):
        assert not undecidable(found, quorum, waiting, None)


@given(ballots, quorums, st.integers(1, 5))
def test_a_quorum_is_out_of_reach_exactly_if_no_way_to_vote_leads_there(
    found: list[Vote], quorum: int, waiting: int
) -> None:
    reachable = any(
        majority([*found, *[found[at].model_copy(update={"member": "late"})] * waiting], quorum, None)
        for at in range(len(found))
    )
    assert undecidable(found, quorum, waiting, None) != reachable


@given(ballots, quorums, st.integers(0, 5))
def test_what_is_out_of_reach_stays_so_as_votes_come_in(found: list[Vote], quorum: int, waiting: int) -> None:
    if undecidable(found[:-1], quorum, waiting + 1, None):
        assert undecidable(found, quorum, waiting, None)


@pytest.mark.parametrize(("waiting", "expected"), [(1, True), (2, False)])
def test_without_a_vote_the_quorum_hangs_on_those_who_wait(waiting: int, expected: bool) -> None:
    assert undecidable([], 2, waiting, None) == expected


@pytest.mark.parametrize(
    ("confidences", "weights", "winner"),
    [
        ((0.9, 0.5, 0.3), (1, 1, 1), "a"),
        ((0.9, 0.5, 0.3), (1, 1, 2), "b"),
        ((0.3, 0.1, 0.2), (1, 1, 1), "a"),
        ((None, 0.2, 0.2), (1, 1, 1), "a"),
        ((None, 0.3, 0.31), (1, 1, 1), "c"),
    ],
)
def test_a_vote_weighs_its_confidence_times_its_weight(
    confidences: tuple[float | None, ...], weights: tuple[float, ...], winner: str
) -> None:
    cast = [
        Vote(member=member, text=text, confidence=sure, weight=weight)
        for member, text, sure, weight in zip("abc", ("spam", "ham", "Ham"), confidences, weights, strict=True)
    ]
    found = weighted_vote(cast, None)
    assert (found.winner, found.consensus) == (winner, "weighted")


@given(ballots, st.data())
def test_more_weight_never_costs_a_label_its_victory(found: list[Vote], data: st.DataObject) -> None:
    won = label(weighted_vote(found, None).text, None)
    at = data.draw(st.sampled_from([at for at, name in enumerate(labels(found)) if name == won]))
    heavier = found[at].model_copy(update={"weight": found[at].weight * 2})
    assert label(weighted_vote([*found[:at], heavier, *found[at + 1 :]], None).text, None) == won


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("42", None, "42"),
        ("about 42 %", None, "42"),
        ("It costs $1,200.50, or 3 more", None, "1200.5"),
        ("1,2345", None, "1"),
        ("-4", None, "-4"),
        ("\N{MINUS SIGN}4.5 degrees", None, "-4.5"),
        (".5", None, "0.5"),
        ("1e-3", None, "0.001"),
        ("GPT-4 says 7.", None, "7"),
        ("H2O, v1.2: 7kg", None, "7"),
        ('{"score": 7, "n": 1}', "n", "1"),
        ('{"score": "7 of 10"}', "score", "7"),
        ("7", "score", "7"),
        ("none", None, None),
        ("", None, None),
        ("9" * 400, None, None),
        ('{"n": 1}', "score", None),
        ('{"score": NaN}', "score", None),
        ('{"score": true}', "score", None),
    ],
)
def test_a_member_s_number_is_the_first_in_its_text_or_field(
    text: str, field: str | None, expected: str | None
) -> None:
    found = average(votes((text, 0.9)), field)
    assert (found and found.text) == expected


def test_an_average_counts_only_those_with_a_number_and_is_nobody_s_own() -> None:
    found = average(votes(("1", 0.9), ("I do not know", 0.1), ("2.5", None), ("4", 0.7)), None)
    assert found == Decision(text="2.5", consensus="average", confidence=0.7, winner=None)
    assert average([], None) is None


@given(st.lists(st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1))
def test_an_average_lies_between_the_least_and_the_greatest(numbers: list[float]) -> None:
    found = average([Vote(member="a", text=str(number)) for number in numbers], None)
    assert found is not None
    assert min(numbers) <= float(found.text) <= max(numbers)


@pytest.mark.parametrize("decide", [unanimous_or_weighted, weighted_vote])
@given(found=ballots)
def test_a_winner_is_the_member_whose_words_the_decision_has(
    decide: Callable[[list[Vote], str | None], Decision], found: list[Vote]
) -> None:
    decision = decide(found, None)
    assert (decision.winner, decision.text) in [(vote.member, vote.text) for vote in found]
    assert decision.confidence is None or 0 <= decision.confidence <= 1


@given(ballots)
def test_who_says_nothing_of_its_confidence_leaves_it_unknown(found: list[Vote]) -> None:
    silent = [vote.model_copy(update={"confidence": None}) for vote in found]
    assert unanimous_or_weighted(silent, None).confidence is None
