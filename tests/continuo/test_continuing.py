from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Model
from continuo.decisions.continuing import INSTRUCTION, Seam, begun_text, going_on, joined
from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import Message, ModelRequest, ModelResponse

ASKED = ModelRequest(messages=(Message(role="user", content="Tell me."),), max_tokens=10)
PREFILLED = Model(id="m", provider="p", name="m", continues="prefill")
TOLD = PREFILLED.model_copy(update={"continues": "instruction"})


@given(st.text(alphabet="ab \n", min_size=1), st.data())
def test_an_answer_is_the_same_wherever_it_broke_off_and_however_its_rest_comes(text: str, data: st.DataObject) -> None:
    begun = text[: data.draw(st.integers(0, len(text)))]
    rest = text[len(begun.rstrip()) :]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rest)))))
    seam = Seam(begun)
    parts = [seam.new(rest[start:end]) for start, end in zip([0, *cuts], [*cuts, len(rest)], strict=True)]
    assert begun + "".join(parts) == text
    response = ModelResponse(message=Message(role="assistant", content=rest), finish_reason="stop")
    assert joined(begun, response).message.text == text


def test_a_rest_that_begins_with_no_space_keeps_the_one_that_was_delivered() -> None:
    assert Seam("one ").new("two") == "two"
    assert Seam("one\n").new("\n  two") == "\n  two"[1:]


def test_the_answer_so_far_is_the_last_turn_or_stands_before_an_instruction() -> None:
    begun = Message(role="assistant", content="One two")
    assert going_on(ASKED, "One two ", PREFILLED).messages == (*ASKED.messages, begun)
    assert going_on(ASKED, "One two ", TOLD).messages == (
        *ASKED.messages,
        begun,
        Message(role="user", content=INSTRUCTION),
    )


def test_the_answer_so_far_goes_behind_what_the_caller_began_it_with() -> None:
    asked = ASKED.model_copy(update={"messages": (*ASKED.messages, Message(role="assistant", content="One"))})
    [_, last] = going_on(asked, " two", PREFILLED).messages
    assert last.text == "One two"


def test_the_rest_may_be_as_long_as_the_limit_leaves_it() -> None:
    assert going_on(ASKED, "x" * 16, PREFILLED).max_tokens == 6
    assert going_on(ASKED, "x" * 400, PREFILLED).max_tokens == 1
    assert going_on(ASKED.model_copy(update={"max_tokens": None}), "x", PREFILLED).max_tokens is None


def test_nothing_but_text_is_gone_on_with() -> None:
    text = [TextDelta("a"), TextDelta("b")]
    assert begun_text(ASKED, text) == "ab"
    assert begun_text(ASKED, [ReasoningDelta("why"), *text]) is None
    assert begun_text(ASKED, [*text, ToolDelta(0, "c1", "weather")]) is None
    for whole in ({"response_format": "json_object"}, {"response_schema": {"type": "object"}}, {"logprobs": True}):
        assert begun_text(ASKED.model_copy(update=whole), text) is None
