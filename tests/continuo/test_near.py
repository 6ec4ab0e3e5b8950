"""What is nearly the same is known by its sequences of three words."""

from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.operations.near import HASHES, Near, signature

WORDS = st.lists(st.integers(0, 60).map("word{}".format), min_size=3, max_size=200).map(" ".join)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=20), max_size=3), st.floats(0.5, 1))
def test_the_same_is_never_new_again_unless_it_has_no_word(texts: list[str], threshold: float) -> None:
    known = Near(threshold)
    assert known.is_new(texts)
    assert known.is_new(texts) == (signature(texts) is None)


@settings(max_examples=30)
@given(WORDS, WORDS)
def test_signatures_agree_as_often_as_the_texts_are_alike(one: str, other: str) -> None:
    a, b = (({*zip(said, said[1:], said[2:], strict=False)}) for said in (one.split(), other.split()))
    first, second = signature([one]), signature([other])
    assert first is not None
    assert second is not None
    assert abs((first == second).sum() / HASHES - len(a & b) / len(a | b)) < 0.3


def test_more_than_it_begins_with_room_for_are_known() -> None:
    known = Near(0.9)
    texts = [f"{number} is the number of this text" for number in range(1_100)]
    assert all(known.is_new([text]) for text in texts)
    assert not any(known.is_new([text]) for text in texts)
