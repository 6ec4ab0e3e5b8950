"""From the pieces of an answer to the events of a streamed message."""

from collections.abc import Iterator
from typing import Any

from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import Usage
from continuo.wire.anthropic.errors import error
from continuo.wire.anthropic.response import STOP_REASONS, frame, usage
from continuo.wire.pieces import Broken, End, Piece
from continuo.wire.signatures import signature, signed_id
from continuo.wire.sse import event

PING = event("ping", {})
"""Keeps a connection alive, at any time after the start."""


class Events:
    """One stream: `start`, then `feed` with each piece. `message_stop` comes after an `End` alone."""

    def __init__(self, *, id: str, model: str) -> None:
        self._frame = frame(id, model)
        self._open: str | int | None = None
        self._last = -1
        self._calls: dict[int, int] = {}

    def start(self) -> bytes:
        return event("message_start", {"message": self._frame})

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The events of one piece."""
        match piece:
            case TextDelta(text):
                if text:
                    yield from self._begin("text", {"type": "text", "text": ""})
                    yield self._delta({"type": "text_delta", "text": text})
            case ReasoningDelta():
                yield from self._thought(piece)
            case ToolDelta():
                yield from self._call(piece)
            case End():
                yield from self._close()
                delta = {"stop_reason": STOP_REASONS[piece.finish_reason], "stop_sequence": None, "stop_details": None}
                yield event("message_delta", {"delta": delta, "usage": usage(piece.usage or Usage())})
                yield event("message_stop", {"continuo": dict(piece.account)})
            case Broken(message):
                yield event("error", error(502, message))

    def _thought(self, piece: ReasoningDelta) -> Iterator[bytes]:
        signed = signature("anthropic", piece.protocol, piece.signature)
        if piece.redacted:
            yield from self._close()
            yield from self._begin("redacted", {"type": "redacted_thinking", "data": signed})
            yield from self._close()
            return
        if not piece.text and not piece.signature:
            return
        unsigned = signature("anthropic", piece.protocol, None)
        yield from self._begin(f"thinking {unsigned}", {"type": "thinking", "thinking": "", "signature": unsigned})
        if piece.text:
            yield self._delta({"type": "thinking_delta", "thinking": piece.text})
        if piece.signature:
            yield self._delta({"type": "signature_delta", "signature": signed})
            yield from self._close()

    def _call(self, piece: ToolDelta) -> Iterator[bytes]:
        if piece.index not in self._calls:
            id = signed_id(piece.id or f"call_{piece.index}", piece.signature)
            block: dict[str, Any] = {"type": "tool_use", "id": id, "name": piece.name or "", "input": {}}
            yield from self._begin(piece.index, block)
            self._calls[piece.index] = self._last
        if piece.arguments:
            # By its own number: a model may go back to a call that it left.
            delta = {"type": "input_json_delta", "partial_json": piece.arguments}
            yield event("content_block_delta", {"index": self._calls[piece.index], "delta": delta})

    def _begin(self, kind: str | int, block: dict[str, Any]) -> Iterator[bytes]:
        if self._open == kind:
            return
        yield from self._close()
        self._open = kind
        self._last += 1
        yield event("content_block_start", {"index": self._last, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return event("content_block_delta", {"index": self._last, "delta": delta})

    def _close(self) -> Iterator[bytes]:
        if self._open is not None:
            self._open = None
            yield event("content_block_stop", {"index": self._last})
