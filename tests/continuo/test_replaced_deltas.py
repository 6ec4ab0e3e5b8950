"""No secret survives in pieces, and nothing else is lost."""

from hypothesis import given
from hypothesis import strategies as st

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.protection.masking import Masker
from continuo.protection.replaced_deltas import ReplacedDeltas
from tests.continuo.providers.conftest import told

SECRET = "sk-0123456789abcdef"
AGAIN = "sk-abcdefghijklmnop-sk"
"""Its end may be the beginning of another one."""
MASKER = Masker([SECRET, "other-secret-word", AGAIN])
TEXT = st.lists(
    st.sampled_from([AGAIN, SECRET, SECRET[:9], SECRET[:11], "other-secret-word", "s", "sk-", " and ", "é"])
).map("".join)


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces."""
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def shown(pieces: list[Delta]) -> list[Delta]:
    masked = ReplacedDeltas(MASKER.text, MASKER.sure)
    return [*(one for piece in pieces for one in masked.feed(piece)), *masked.finish()]


@given(st.data(), TEXT)
def test_a_text_in_pieces_is_masked_as_the_whole_is(data: st.DataObject, text: str) -> None:
    pieces: list[Delta] = [TextDelta(piece) for piece in data.draw(cut(text))]
    assert told(shown(pieces))[0] == MASKER.text(text)


@given(st.data(), TEXT, TEXT, TEXT)
def test_thoughts_and_calls_are_masked_each_for_itself(
    data: st.DataObject, thought: str, text: str, arguments: str
) -> None:
    pieces: list[Delta] = [ReasoningDelta(piece, protocol="anthropic") for piece in data.draw(cut(thought))]
    pieces += [ReasoningDelta("", "signed", "anthropic")]
    pieces += [TextDelta(piece) for piece in data.draw(cut(text))]
    pieces += [ToolDelta(0, "a", "weather")]
    pieces += [ToolDelta(0, arguments=piece) for piece in data.draw(cut(arguments))]
    pieces += [ToolDelta(1, "b", "clock", "{}")]
    assert told(shown(pieces)) == (
        MASKER.text(text),
        [("signed", MASKER.text(thought))],
        [("a", "weather", None, MASKER.text(arguments)), ("b", "clock", None, "{}")],
    )


def test_what_can_be_no_secret_is_not_held_back() -> None:
    masked = ReplacedDeltas(MASKER.text, MASKER.sure)
    assert [*masked.feed(TextDelta("Hey"))] == [TextDelta("Hey")]
    assert [*masked.feed(TextDelta(", s"))] == [TextDelta(", ")]
    assert [*masked.feed(TextDelta("ir"))] == [TextDelta("sir")]
    assert [*masked.finish()] == []


@given(st.data(), TEXT, TEXT)
def test_arguments_that_come_in_turns_are_masked_each_for_itself(data: st.DataObject, one: str, other: str) -> None:
    pieces: list[Delta] = [ToolDelta(0, "a", "weather"), ToolDelta(1, "b", "clock")]
    more = [ToolDelta(0, arguments=piece) for piece in data.draw(cut(one))]
    more += [ToolDelta(1, arguments=piece) for piece in data.draw(cut(other))]
    # In any order that keeps that of each.
    for index in data.draw(st.permutations([piece.index for piece in more])):
        piece = next(piece for piece in more if piece.index == index)
        more.remove(piece)
        pieces.append(piece)
    arguments = [call[3] for call in told(shown(pieces))[2]]
    assert arguments == [MASKER.text(one), MASKER.text(other)]
