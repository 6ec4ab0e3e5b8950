"""Answers that a run may come to, and where they are cut into pieces."""

from collections.abc import Iterator

from hypothesis import strategies as st

from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Outcome
from continuo.messages import Message, ToolCall, Usage, content_of
from continuo.parts import Part, Reasoning, Text
from continuo.wire.pieces import Piece, finish_reason

USAGE = Usage(input_tokens=12, output_tokens=5, cached_tokens=4)


def outcome(*parts: Part, calls: tuple[ToolCall, ...] = (), **fields: object) -> Outcome:
    message = Message(role="assistant", content=content_of(parts), tool_calls=calls)
    made = Outcome(text=message.text, message=message, served_by="model", usage=USAGE, model="claude-real", tier=1)
    made = made.model_copy(update=fields)
    return made.model_copy(update={"finish_reason": finish_reason(made)})


PARIS = outcome(Text(text="Paris."), cost_usd=0.25)
WEATHER = ToolCall(id="call_1", name="weather", arguments='{"city": "Paris"}')

_letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_thoughts = st.builds(
    Reasoning,
    protocol=st.sampled_from(["openai", "anthropic", "google"]),
    text=_letters,
    signature=st.from_regex(r"[a-zA-Z0-9+/=]{1,12}", fullmatch=True),
)
_redacted = st.builds(Reasoning, protocol=st.just("anthropic"), signature=st.just("c2VjcmV0"), redacted=st.just(True))
_calls = st.builds(
    lambda number, city, signature: ToolCall(
        id=f"call_{number}", name="weather", arguments=f'{{"city": {city}}}', signature=signature
    ),
    st.integers(0, 10**6),
    st.sampled_from(['"Paris"', '"Łódź"', "[1, 2.5, null]", "{}"]),
    st.none() | st.just("c2ln"),
)

outcomes = st.builds(
    lambda thoughts, text, calls: outcome(*thoughts, *([Text(text=text)] if text else []), calls=tuple(calls)),
    st.lists(_thoughts | _redacted, max_size=2),
    st.none() | _letters,
    st.lists(_calls, max_size=3, unique_by=lambda call: call.id),
).filter(lambda made: bool(made.message and (made.message.parts or made.message.tool_calls)))


def split(piece: Piece, at: int) -> Iterator[Piece]:
    """The same in two pieces."""
    match piece:
        case TextDelta(text):
            yield TextDelta(text[:at])
            yield TextDelta(text[at:])
        case ReasoningDelta(redacted=False):
            yield ReasoningDelta(piece.text[:at], protocol=piece.protocol)
            yield ReasoningDelta(piece.text[at:], piece.signature, piece.protocol)
        case ToolDelta():
            yield ToolDelta(piece.index, piece.id, piece.name, piece.arguments[:at], piece.signature)
            yield ToolDelta(piece.index, arguments=piece.arguments[at:])
        case _:
            yield piece
