"""An answer that is checked while it comes is the one that is had in the end, and shows nothing of what that hides."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.guardrails.checks.answer import checked
from continuo.guardrails.checks.deltas import Passing
from continuo.guardrails.checks.known import digests
from continuo.guardrails.checks.redaction import MASK
from continuo.guardrails.checks.sensitive import sensitive
from continuo.guardrails.checks.stream import HELD
from continuo.jobs import Context, Job, Outcome
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.parts import Reasoning, Text
from continuo.patterns import Call, Checks, Guard
from continuo.patterns.guard import Hold
from continuo.wire.pieces import deltas
from continuo.wire.shown import Shown

KNOWN = "ada@acme.org"
LEAK = "eve@evil.test"
CHECKS = Checks(personal=("EMAIL",), blocked=("darn", "very bad words"), links=("example.org",))
GUARD = Guard(Call(model="m"), checks=CHECKS)
JOB = Job(
    step=GUARD,
    stream="run",
    context=Context(pattern="test"),
    request=ModelRequest(messages=(Message(role="user", content=f"I am {KNOWN}."),)),
)
SENSITIVE = sensitive(CHECKS, ("US",), {})
WORDS = [LEAK, KNOWN, "darn", "very bad words", "very bad", "https://evil.test/?q=1", "https://example.org/", "fine"]
TEXT = st.lists(st.sampled_from([*WORDS, " ", " ", "\n", ", ", "é", "字", "x" * 30])).map("".join)


def hold(*, redact: bool = True) -> Hold:
    known = digests([JOB.request.prompt], SENSITIVE["personal"])
    return Hold(checks=CHECKS, regions=("US",), known=tuple(known), redact=redact)


def whole(outcome: Outcome) -> Outcome:
    return checked(GUARD, SENSITIVE, JOB, outcome, redact=True).redacted or outcome


def cut(draw: st.DataObject, text: str) -> list[str]:
    ends = sorted(draw.draw(st.sets(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def shown(pieces: list[Delta], *holds: Hold) -> list[Delta]:
    passing = Passing(holds)
    return [*(sure for piece in pieces for sure in passing.feed([piece])), *passing.finish()]


@settings(deadline=None)
@given(st.data(), TEXT, TEXT, TEXT)
def test_what_streamed_is_how_the_redacted_answer_begins_and_all_of_it(
    data: st.DataObject, thought: str, text: str, argument: str
) -> None:
    message = Message(
        role="assistant",
        content=(Reasoning(protocol="anthropic", text=thought, signature="signed"), Text(text=text or "-")),
        tool_calls=(ToolCall(id="a", name="tell", arguments=argument),),
    )
    outcome = Outcome(text=text or "-", message=message, served_by="model")
    pieces: list[Delta] = [ReasoningDelta(piece, protocol="anthropic") for piece in cut(data, thought)]
    pieces += [ReasoningDelta("", "signed", "anthropic")]
    pieces += [TextDelta(piece) for piece in cut(data, text or "-")]
    pieces += [ToolDelta(0, "a", "tell"), *(ToolDelta(0, arguments=piece) for piece in cut(data, argument))]
    streamed = shown(pieces, hold())
    assert Shown(streamed).rest(whole(outcome)) == []


@settings(deadline=None)
@given(st.data(), TEXT)
def test_an_answer_that_is_to_be_rejected_ends_before_the_first_finding(data: st.DataObject, text: str) -> None:
    streamed = shown([TextDelta(piece) for piece in cut(data, text)], hold(redact=False))
    redacted = whole(Outcome(text=text, served_by="model")).text
    assert "".join(piece.text for piece in streamed if isinstance(piece, TextDelta)) == redacted.split(MASK)[0]


@settings(deadline=None)
@given(st.data(), TEXT)
def test_guards_around_each_other_check_one_after_the_other(data: st.DataObject, text: str) -> None:
    streamed = shown([TextDelta(piece) for piece in cut(data, text)], hold(), hold())
    assert Shown(streamed).rest(whole(whole(Outcome(text=text, served_by="model")))) == []


def test_no_more_is_held_back_than_may_be_the_beginning_of_a_finding() -> None:
    passing = Passing([hold()])
    text = "word " * 40
    streamed = "".join(piece.text for piece in passing.feed([TextDelta(text)]) if isinstance(piece, TextDelta))
    assert 0 <= len(text) - len(streamed) - HELD < len("word ")
    assert passing.feed([TextDelta("x")]) == []


def test_an_escape_of_json_hides_nothing() -> None:
    pieces: list[Delta] = [TextDelta('{"a": "\\u0065ve@evil'), TextDelta('.test", "b": "\\nada@acme.org"}')]
    assert shown(pieces, hold()) == [TextDelta(f'{{"a": "{MASK}", "b": "\\nada@acme.org"}}')]


def test_a_key_is_held_back_to_its_end() -> None:
    checks = Checks(secrets=True)
    key = (
        "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA0m4kQ9bW2cVYp1\n" * 40 + "-----END RSA PRIVATE KEY-----"
    )
    guard = Hold(checks=checks, regions=("US",), redact=True)
    pieces: list[Delta] = [
        TextDelta(f"Here: {line}\n" if number == 0 else f"{line}\n") for number, line in enumerate(key.split("\n"))
    ]
    text = "".join(piece.text for piece in shown(pieces, guard) if isinstance(piece, TextDelta))
    assert text == f"Here: {MASK}\n"


def test_a_word_without_end_is_held_in_linear_time() -> None:
    pieces: list[Delta] = [TextDelta("x" * 20)] * 5_000
    assert sum(len(piece.text) for piece in shown(pieces, hold()) if isinstance(piece, TextDelta)) == 100_000


def test_the_pieces_of_a_whole_answer_pass_too() -> None:
    outcome = Outcome(text=f"Write to {LEAK} or {KNOWN}.", served_by="model")
    assert shown([*deltas(outcome)], hold()) == [TextDelta(f"Write to {MASK} or {KNOWN}.")]


@pytest.mark.parametrize("text", [f"Write to {LEAK}.", "Darn."])
def test_a_redacted_answer_passes_the_same_checks(text: str) -> None:
    redacted = whole(Outcome(text=text, served_by="model"))
    assert MASK in redacted.text
    assert checked(GUARD, SENSITIVE, JOB, redacted, redact=True).wrong == ()
