"""A response that is kept: what it is at each moment, and its events once more."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from pydantic import JsonValue

from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.jobs import Failure, Outcome
from continuo.messages import FinishReason, Usage
from continuo.wire.openai_errors import error
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Broken, End, Piece
from continuo.wire.responses.body import Body, CallItem, MessageItem, OutputText, ReasoningItem
from continuo.wire.responses.events import Events
from continuo.wire.responses.items import items
from continuo.wire.responses.response import pending, response
from continuo.wire.responses.thoughts import thought_of
from continuo.wire.signatures import call_of
from continuo.wire.sse import event

_FINISH: Mapping[str | None, FinishReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def written(body: Body) -> str:
    """The body as it is kept, without its input."""
    return body.model_dump_json(by_alias=True, exclude_none=True, exclude={"input"})


def read(text: str) -> Body:
    """The body that was `written`."""
    return parsed(Body, text.encode())


def ended(
    body: Body, result: Outcome | Failure, account: Mapping[str, JsonValue], *, id: str, created_at: float
) -> dict[str, Any]:
    """What the response came to, the same whenever it is told."""
    if isinstance(result, Outcome):
        end = created_at + (result.latency_ms or 0.0) / 1000
        return response(result, account, body, id=id, created_at=created_at, completed_at=end)
    if result.type == "Cancelled":
        return pending(body, id=id, created_at=created_at, status="cancelled")
    failure = {"code": "server_error", "message": result.cause}
    return {**pending(body, id=id, created_at=created_at, status="failed"), "error": failure}


def replayed(body: Body, answer: Mapping[str, Any], *, after: int) -> Iterator[bytes]:
    """The events of a response that has ended, those with a sequence number above `after`."""
    events = Events(body, id=answer["id"], created_at=answer["created_at"], clock=lambda: answer["completed_at"])
    whole = chain(events.start(), *(events.feed(piece) for piece in _pieces(answer)))
    # Their sequence numbers count from 0.
    return islice(whole, max(after + 1, 0), None)


def broken(message: str) -> bytes:
    """What a stream ends with whose response may yet be had."""
    return event("error", {"code": "server_error", "message": message, "param": None, **error(502, message)})


def _pieces(answer: Mapping[str, Any]) -> Iterator[Piece]:
    if answer["status"] == "cancelled":
        yield Broken("the response was cancelled")
    elif answer["status"] == "failed":
        yield Broken(answer["error"]["message"])
    else:
        yield from _answered(answer)


def _answered(answer: Mapping[str, Any]) -> Iterator[Piece]:
    calls = 0
    for item in items(answer["output"]):
        match item:
            case ReasoningItem():
                thought = thought_of(item)
                yield ReasoningDelta(thought.text, thought.signature, thought.protocol, thought.redacted)
            case MessageItem(content=[OutputText(text=text)]):
                yield TextDelta(text)
            case CallItem():
                call = call_of(item.call_id, item.name, item.arguments)
                yield ToolDelta(calls, call.id, call.name, call.arguments, call.signature)
                calls += 1
    finish = _FINISH.get((answer["incomplete_details"] or {}).get("reason"), "stop")
    used = answer["usage"]
    usage = Usage(
        input_tokens=used["input_tokens"],
        output_tokens=used["output_tokens"],
        cached_tokens=used["input_tokens_details"]["cached_tokens"],
    )
    yield End(finish, usage, answer["continuo"])
