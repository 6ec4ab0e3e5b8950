"""From the pieces of an answer to the events of a streamed response."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.wire.openai_errors import error
from continuo.wire.pieces import Broken, End, Piece
from continuo.wire.responses.body import Body
from continuo.wire.responses.response import call_item, ended, item_id, logprobs, message_item, pending
from continuo.wire.responses.thoughts import reasoning_item
from continuo.wire.signatures import signed_id
from continuo.wire.sse import event


@dataclass
class _Open:
    """An item that is not whole yet: a message or a thought that has its `text`."""

    kind: str
    id: str
    index: int
    text: str = ""
    protocol: str | None = None


@dataclass
class _Call:
    id: str
    index: int
    call_id: str
    name: str
    arguments: str = ""


class Events:
    """One stream: `start`, then `feed` with each piece. `response.completed` comes after an `End` alone.

    `clock` gives the seconds since 1970.
    """

    def __init__(self, body: Body, *, id: str, created_at: float, clock: Callable[[], float]) -> None:
        self._id = id
        self._clock = clock
        self._begun = pending(body, id=id, created_at=created_at)
        self._sequence = -1
        self._count = 0
        self._open: _Open | None = None
        self._calls: dict[int, _Call] = {}
        self._output: dict[int, dict[str, Any]] = {}
        self._logprobs: list[dict[str, Any]] = []

    def start(self) -> Iterator[bytes]:
        yield self._event("response.created", response=self._begun)
        yield self._event("response.in_progress", response=self._begun)

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The events of one piece."""
        match piece:
            case TextDelta(text):
                if text:
                    yield from self._text(text)
            case ReasoningDelta():
                yield from self._thought(piece)
            case ToolDelta():
                yield from self._call(piece)
            case End():
                yield from self._end(piece)
            case Broken(message):
                failure = {"code": "server_error", "message": message}
                yield self._event("response.failed", response={**self._begun, "status": "failed", "error": failure})
                # The SDK raises for what has an `error` inside, and hands out the rest.
                yield self._event("error", **failure, param=None, **error(502, message, code="server_error"))

    def _text(self, text: str) -> Iterator[bytes]:
        item = self._open
        if item is None or item.kind != "msg":
            yield from self._close()
            item = self._open = self._next("msg")
            added = {"id": item.id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
            yield self._event("response.output_item.added", output_index=item.index, item=added)
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield self._in(item, "response.content_part.added", content_index=0, part=part)
        item.text += text
        yield self._in(item, "response.output_text.delta", content_index=0, delta=text, logprobs=[])

    def _thought(self, piece: ReasoningDelta) -> Iterator[bytes]:
        if not piece.text and not piece.signature:
            return
        item = self._open
        if item is None or item.kind != "rs" or item.protocol != piece.protocol or piece.redacted:
            yield from self._close()
            item = self._open = self._next("rs")
            item.protocol = piece.protocol
            added = {"id": item.id, "type": "reasoning", "summary": [], "status": "in_progress"}
            yield self._event("response.output_item.added", output_index=item.index, item=added)
        if piece.text:
            if not item.text:
                part = {"type": "summary_text", "text": ""}
                yield self._in(item, "response.reasoning_summary_part.added", summary_index=0, part=part)
            item.text += piece.text
            yield self._in(item, "response.reasoning_summary_text.delta", summary_index=0, delta=piece.text)
        if piece.signature:
            yield from self._close(piece.signature, piece.redacted)

    def _call(self, piece: ToolDelta) -> Iterator[bytes]:
        call = self._calls.get(piece.index)
        if call is None:
            yield from self._close()
            item = self._next("fc")
            call_id = signed_id(piece.id or item.id, piece.signature)
            call = self._calls[piece.index] = _Call(item.id, item.index, call_id, piece.name or "")
            added = {**call_item(call.id, call.call_id, call.name, ""), "status": "in_progress"}
            yield self._event("response.output_item.added", output_index=call.index, item=added)
        if piece.arguments:
            call.arguments += piece.arguments
            kind = "response.function_call_arguments.delta"
            yield self._event(kind, item_id=call.id, output_index=call.index, delta=piece.arguments)

    def _end(self, piece: End) -> Iterator[bytes]:
        # They come with the end alone, in which the text is closed.
        self._logprobs = logprobs(piece.logprobs)
        yield from self._close()
        for call in self._calls.values():
            # Not before: a model may go back to a call that it left.
            kind = "response.function_call_arguments.done"
            place = {"item_id": call.id, "output_index": call.index}
            yield self._event(kind, **place, name=call.name, arguments=call.arguments)
            yield self._done(call.index, call_item(call.id, call.call_id, call.name, call.arguments))
        output = [self._output[index] for index in sorted(self._output)]
        usage, account = piece.usage, piece.account
        whole = ended(self._begun, output, piece.finish_reason, usage, account, completed_at=self._clock())
        yield self._event(f"response.{whole['status']}", response=whole, continuo=dict(account))

    def _close(self, signature: str | None = None, redacted: bool = False) -> Iterator[bytes]:
        item, self._open = self._open, None
        if item is None:
            return
        if item.kind == "msg":
            whole, tokens = message_item(item.id, item.text, self._logprobs), self._logprobs
            yield self._in(item, "response.output_text.done", content_index=0, text=item.text, logprobs=tokens)
            yield self._in(item, "response.content_part.done", content_index=0, part=whole["content"][0])
        else:
            whole = reasoning_item(item.id, item.text, signature, item.protocol, redacted)
            if item.text:
                part = whole["summary"][0]
                yield self._in(item, "response.reasoning_summary_text.done", summary_index=0, text=item.text)
                yield self._in(item, "response.reasoning_summary_part.done", summary_index=0, part=part)
        yield self._done(item.index, whole)

    def _done(self, index: int, item: dict[str, Any]) -> bytes:
        self._output[index] = item
        return self._event("response.output_item.done", output_index=index, item=item)

    def _next(self, kind: str) -> _Open:
        index, self._count = self._count, self._count + 1
        return _Open(kind, item_id(kind, self._id, index), index)

    def _in(self, item: _Open, kind: str, **data: Any) -> bytes:
        return self._event(kind, item_id=item.id, output_index=item.index, **data)

    def _event(self, kind: str, **data: Any) -> bytes:
        self._sequence += 1
        return event(kind, {**data, "sequence_number": self._sequence})
