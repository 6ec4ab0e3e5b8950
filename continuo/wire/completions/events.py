"""From the pieces of an answer to the chunks of a streamed completion."""

from collections.abc import Iterator
from typing import Any

from continuo.deltas import TextDelta
from continuo.messages import Usage
from continuo.wire.chat.events import DONE
from continuo.wire.chat.response import frame, usage
from continuo.wire.completions.body import Body
from continuo.wire.completions.request import echoed
from continuo.wire.completions.response import logprobs
from continuo.wire.openai_errors import error
from continuo.wire.pieces import Broken, End, NextChoice, Piece
from continuo.wire.sse import data


class Events:
    """One stream: `start`, then `feed` with each piece. `DONE` comes after an `End` alone."""

    def __init__(self, body: Body, *, id: str, created: int) -> None:
        self._frame = frame("text_completion", id, body.model, created)
        self._include_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._body = body
        self._index = 0

    def start(self) -> bytes:
        """What is echoed, or nothing."""
        text = echoed(self._body, self._index)
        return self._text(text) if text else b""

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The chunks of one piece. Thoughts and calls have no place in this form."""
        match piece:
            case TextDelta(text):
                if text:
                    yield self._text(text)
            case NextChoice(end):
                yield self._chunk([self._last(end)], {})
                self._index += 1
                yield self.start()
            case End():
                ours = {"continuo": dict(piece.account)}
                yield self._chunk([self._last(piece)], {} if self._include_usage else ours)
                if self._include_usage:
                    yield self._chunk([], {"usage": usage(piece.usage or Usage()), **ours})
                yield DONE
            case Broken(message, code):
                yield data(error(502, message, code=code))

    def _text(self, text: str) -> bytes:
        choice = {"index": self._index, "text": text, "logprobs": None, "finish_reason": None}
        return self._chunk([choice], {})

    def _last(self, end: End) -> dict[str, Any]:
        tokens = logprobs(end.logprobs)
        return {"index": self._index, "text": "", "logprobs": tokens, "finish_reason": end.finish_reason}

    def _chunk(self, choices: list[dict[str, Any]], more: dict[str, Any]) -> bytes:
        # Where usage is told, the other chunks say that it is not theirs to tell.
        usage_field = {"usage": None} if self._include_usage else {}
        return data({**self._frame, "choices": choices, **usage_field, **more})
