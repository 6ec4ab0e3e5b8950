"""From the pieces of an answer to the chunks of a streamed completion."""

from collections.abc import Iterator
from typing import Any

from continuo.deltas import ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import Usage
from continuo.wire.chat.response import call, frame, logprobs, usage
from continuo.wire.openai_errors import error
from continuo.wire.pieces import Broken, End, NextChoice, Piece
from continuo.wire.signatures import signed_id
from continuo.wire.sse import data

PING = b": keep-alive\n\n"
"""Keeps a connection alive, at any time."""

DONE = b"data: [DONE]\n\n"


class Events:
    """One stream: `start`, then `feed` with each piece. `DONE` comes after an `End` alone."""

    def __init__(self, *, id: str, model: str, created: int, include_usage: bool) -> None:
        self._frame = frame("chat.completion.chunk", id, model, created)
        self._include_usage = include_usage
        self._index = 0
        self._calls: set[int] = set()

    def start(self) -> bytes:
        return self._delta({"role": "assistant", "content": "", "refusal": None})

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The chunks of one piece."""
        match piece:
            case TextDelta(text):
                if text:
                    yield self._delta({"content": text})
            case ReasoningDelta(text):
                if text:
                    yield self._delta({"reasoning_content": text})
            case ToolDelta():
                yield self._delta({"tool_calls": [self._call(piece)]})
            case NextChoice(end):
                yield self._chunk([self._last(end)], {})
                self._index += 1
                self._calls.clear()
                yield self.start()
            case End():
                ours = {"continuo": dict(piece.account)}
                yield self._chunk([self._last(piece)], {} if self._include_usage else ours)
                if self._include_usage:
                    yield self._chunk([], {"usage": usage(piece.usage or Usage()), **ours})
                yield DONE
            case Broken(message, code):
                yield data(error(502, message, code=code))

    def _call(self, piece: ToolDelta) -> dict[str, Any]:
        if piece.index in self._calls:
            return {"index": piece.index, "function": {"arguments": piece.arguments}}
        self._calls.add(piece.index)
        id = signed_id(piece.id or f"call_{piece.index}", piece.signature)
        return {"index": piece.index, **call(id, piece.name or "", piece.arguments)}

    def _delta(self, delta: dict[str, Any]) -> bytes:
        choice = {"index": self._index, "delta": delta, "logprobs": None, "finish_reason": None}
        return self._chunk([choice], {})

    def _last(self, end: End) -> dict[str, Any]:
        tokens = logprobs(end.logprobs)
        return {"index": self._index, "delta": {}, "logprobs": tokens, "finish_reason": end.finish_reason}

    def _chunk(self, choices: list[dict[str, Any]], more: dict[str, Any]) -> bytes:
        # Where usage is told, the other chunks say that it is not theirs to tell.
        usage_field = {"usage": None} if self._include_usage else {}
        return data({**self._frame, "choices": choices, **usage_field, **more})
