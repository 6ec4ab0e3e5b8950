"""OpenAI's Transcriptions: one audio in, what is said in it out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from continuo.deltas import TextDelta
from continuo.door.request import Request
from continuo.extra import Extra
from continuo.jobs import Outcome
from continuo.messages import Message, Usage
from continuo.parameters import Parameters
from continuo.parts import Audio, Text
from continuo.wire.accepted import Accepted
from continuo.wire.chat.events import DONE
from continuo.wire.errors import WireError, refusing
from continuo.wire.media import Blobs
from continuo.wire.openai_errors import error
from continuo.wire.parsed import Shape
from continuo.wire.pieces import Broken, End, Piece, message_of
from continuo.wire.sse import data


class Body(Shape):
    """The fields beside the file of `POST /v1/audio/transcriptions`: texts of a form, from which numbers are read.

    Of an answer the text is known, and not when each word was said: other formats have no place for less.
    """

    model_config = ConfigDict(strict=False)

    model: str
    chunking_strategy: Literal["auto"] | None = None
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "text"] = "json"
    stream: bool = False
    temperature: float | None = Field(default=None, ge=0, le=1)


def request(body: Body, audio: bytes, name: str, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body and file. `resolve` makes a pattern of the model's name, see `Request`.

    Raises `WireError` for what cannot be taken.
    """
    if body.stream and body.response_format != "json":
        message = "response_format: a stream is events of JSON; leave it out"
        raise WireError(400, message, "response_format", "unsupported_parameter")
    blobs = Blobs()
    part = blobs.add(audio, name or "audio", "file")
    if not isinstance(part, Audio):
        message = f"file: this is of type {part.media_type}, and no audio as WAV or MP3"
        raise WireError(400, message, "file", "invalid_value")
    with refusing("model"):
        pattern = resolve(body.model)
    passed = {name: value for name in ("language", "chunking_strategy") if (value := getattr(body, name))}
    if passed and not pattern.startswith("model:"):
        # What it has for others than the one that transcribes, they would refuse.
        param = next(iter(passed))
        message = f"{param}: {body.model!r} is a pattern, whose models are not all told it; name one model"
        raise WireError(400, message, param, "unsupported_parameter")
    content = (part, Text(text=body.prompt)) if body.prompt else (part,)
    with refusing():
        parameters = Parameters(temperature=body.temperature, extra=Extra(openai=passed) if passed else None)
        messages = (Message(role="user", content=content),)
        made = Request(pattern=pattern, messages=messages, parameters=parameters, stream=body.stream)
    return Accepted(made, blobs.content)


def response(outcome: Outcome, account: Mapping[str, JsonValue]) -> dict[str, Any]:
    """The transcript as JSON."""
    usage = _usage(outcome.usage or Usage())
    return {"text": message_of(outcome).text, "usage": usage, "continuo": dict(account)}


class Events:
    """One stream: `feed` with each piece. `DONE` comes after an `End` alone."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The events of one piece. Thoughts have no place in this form."""
        match piece:
            case TextDelta(text):
                if text:
                    self._text += text
                    yield data({"type": "transcript.text.delta", "delta": text})
            case End():
                end = {"text": self._text, "usage": _usage(piece.usage or Usage()), "continuo": dict(piece.account)}
                yield data({"type": "transcript.text.done", **end})
                yield DONE
            case Broken(message):
                yield data(error(502, message))


def _usage(used: Usage) -> dict[str, Any]:
    if used.seconds:
        return {"type": "duration", "seconds": used.seconds}
    total = used.input_tokens + used.output_tokens
    return {
        "type": "tokens", "input_tokens": used.input_tokens, "output_tokens": used.output_tokens, "total_tokens": total
    }  # fmt: skip
