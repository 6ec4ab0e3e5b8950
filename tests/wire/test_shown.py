"""Whatever has been sent of an answer, what is sent then makes it whole, or there is nothing that could."""

from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Outcome
from continuo.parts import Text
from continuo.wire.pieces import deltas
from continuo.wire.shown import Shown
from tests.support.memory import size
from tests.wire.outcomes import PARIS, outcome, outcomes, split


def cut(outcome: Outcome, data: st.DataObject) -> list[Delta]:
    pieces: list[Delta] = list(deltas(outcome))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(pieces) - 1))
        halves = split(pieces[place], data.draw(st.integers(0, 12)))
        pieces[place : place + 1] = [half for half in halves if isinstance(half, Delta)]
    return pieces


@settings(deadline=None)
@given(outcomes, st.data())
def test_what_was_sent_and_the_rest_are_the_whole(outcome: Outcome, data: st.DataObject) -> None:
    pieces = cut(outcome, data)
    sent = pieces[: data.draw(st.integers(0, len(pieces)))]
    rest = Shown(sent).rest(outcome)
    assert rest is not None
    assert Shown([*sent, *rest]).rest(outcome) == []
    assert "".join(piece.text for piece in [*sent, *rest] if isinstance(piece, TextDelta)) == outcome.text


@settings(deadline=None)
@given(outcomes, outcomes, st.data())
def test_no_second_answer_comes_behind_a_first(first: Outcome, second: Outcome, data: st.DataObject) -> None:
    rest = Shown(cut(first, data)).rest(second)
    if rest is not None:
        assert second.text.startswith(first.text)
        assert len(first.message.tool_calls if first.message else ()) <= len(
            second.message.tool_calls if second.message else ()
        )


def test_what_was_sent_takes_no_more_memory_however_much_it_is() -> None:
    def held(pieces: int) -> int:
        shown = Shown(piece for _ in range(pieces) for piece in (TextDelta("word " * 2), ReasoningDelta("hm " * 2)))
        assert shown.rest(outcome(Text(text="other"))) is None
        return size(shown)

    assert held(5_000) < held(10) + 200


def test_an_answer_that_differs_is_none_that_was_begun() -> None:
    assert Shown([TextDelta("Par")]).rest(PARIS) == [TextDelta("is.")]
    assert Shown([TextDelta("Rome")]).rest(PARIS) is None
    assert Shown([TextDelta("Paris. And")]).rest(PARIS) is None
    assert Shown([ReasoningDelta("Well")]).rest(PARIS) is None
    assert Shown([ToolDelta(0, "c", "weather", "{")]).rest(PARIS) is None
    assert Shown([TextDelta("Par")]).rest(outcome(Text(text=""))) is None
