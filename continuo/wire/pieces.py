"""What each dialect makes its events of: the pieces of an answer, and how it ends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Outcome
from continuo.messages import FinishReason, Message, Token, Usage
from continuo.parts import Reasoning, Text


@dataclass(frozen=True)
class End:
    """The answer is whole. `account` is what the last event tells of its run, see `continuo.wire.account`; `logprobs`
    are of all its tokens, where they were asked for: the stream log has no place for them."""

    finish_reason: FinishReason
    usage: Usage | None = None
    account: Mapping[str, JsonValue] = field(default_factory=dict)
    logprobs: Sequence[Token] = ()


@dataclass(frozen=True)
class Broken:
    """There will be no more, and what came is not the whole answer. `code` is as in `continuo.wire.errors`."""

    message: str
    code: str | None = None


@dataclass(frozen=True)
class NextChoice:
    """One of several choices is whole, as its `end` says, and the pieces that come are of the next one."""

    end: End


Piece = Delta | End | Broken | NextChoice


def message_of(outcome: Outcome) -> Message:
    """The answer as a turn: of a pattern that made a text of its own, that text."""
    return (outcome.message or Message(role="assistant")).saying(outcome.text)


def pieces(outcome: Outcome, account: Mapping[str, JsonValue]) -> Iterator[Piece]:
    """An answer that is whole already, as the pieces of a stream."""
    yield from deltas(outcome)
    yield end(outcome, account)


def end(outcome: Outcome, account: Mapping[str, JsonValue]) -> End:
    return End(finish_reason(outcome), outcome.usage, account, outcome.logprobs)


def deltas(outcome: Outcome) -> Iterator[Delta]:
    """The same without its end."""
    message = message_of(outcome)
    for part in message.parts:
        if isinstance(part, Reasoning):
            yield ReasoningDelta(part.text, part.signature, part.protocol, part.redacted)
        elif isinstance(part, Text):
            yield TextDelta(part.text)
    for index, call in enumerate(message.tool_calls):
        yield ToolDelta(index, call.id, call.name, call.arguments, call.signature)


def finish_reason(outcome: Outcome) -> FinishReason:
    """Why the answer ends: what makes no call to a model ends where it should."""
    return outcome.finish_reason or ("tool_calls" if message_of(outcome).tool_calls else "stop")
