"""OpenAI's Transcriptions: one audio in, what is said in it out."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from continuo.deltas import TextDelta
from continuo.door.request import Request
from continuo.extra import Extra
from continuo.jobs import Outcome
from continuo.messages import Message, Transcript, Usage
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

TIMED = {"srt", "verbose_json", "vtt"}
"""The formats that tell when something was said."""


class Body(Shape):
    """The fields beside the file of `POST /v1/audio/transcriptions`: texts of a form, from which numbers are read.

    It is known when each segment was said, and not each word.
    """

    model_config = ConfigDict(strict=False)

    model: str
    chunking_strategy: Literal["auto"] | None = None
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "srt", "text", "verbose_json", "vtt"] = "json"
    stream: bool = False
    temperature: float | None = Field(default=None, ge=0, le=1)
    timestamp_granularities: list[Literal["segment"]] | None = None


def request(body: Body, audio: bytes, name: str, *, resolve: Callable[[str], str]) -> Accepted:
    """What is submitted for this body and file. `resolve` makes a pattern of the model's name, see `Request`.

    Raises `WireError` for what cannot be taken.
    """
    if body.stream and body.response_format != "json":
        message = "response_format: a stream is events of JSON; leave it out"
        raise WireError(400, message, "response_format", "unsupported_parameter")
    if body.timestamp_granularities and body.response_format != "verbose_json":
        message = "timestamp_granularities: only `response_format` verbose_json tells them; set that, or leave this out"
        raise WireError(400, message, "timestamp_granularities", "invalid_value")
    segments = True if body.response_format in TIMED else None
    blobs = Blobs()
    part = blobs.add(audio, name or "audio", "file")
    if not isinstance(part, Audio):
        message = f"file: this is of type {part.media_type}, and no audio as WAV or MP3"
        raise WireError(400, message, "file", "invalid_value")
    with refusing("model"):
        pattern = resolve(body.model)
    if segments and not pattern.startswith("model:"):
        message = f"response_format: {body.model!r} is a pattern, which answers with a text alone; name one model"
        raise WireError(400, message, "response_format", "unsupported_parameter")
    passed = {name: value for name in ("language", "chunking_strategy") if (value := getattr(body, name))}
    if passed and not pattern.startswith("model:"):
        # What it has for others than the one that transcribes, they would refuse.
        param = next(iter(passed))
        message = f"{param}: {body.model!r} is a pattern, whose models are not all told it; name one model"
        raise WireError(400, message, param, "unsupported_parameter")
    content = (part, Text(text=body.prompt)) if body.prompt else (part,)
    with refusing():
        extra = Extra(openai=passed) if passed else None
        parameters = Parameters(temperature=body.temperature, segments=segments, extra=extra)
        messages = (Message(role="user", content=content),)
        made = Request(pattern=pattern, messages=messages, parameters=parameters, stream=body.stream)
    return Accepted(made, blobs.content)


def response(outcome: Outcome, account: Mapping[str, JsonValue]) -> dict[str, Any]:
    """The transcript as JSON."""
    usage = _usage(outcome.usage or Usage())
    return {"text": message_of(outcome).text, "usage": usage, "continuo": dict(account)}


def verbose(outcome: Outcome, account: Mapping[str, JsonValue]) -> dict[str, Any]:
    """The same with its segments. Raises `WireError` where their times are not known, as `subtitles` does."""
    transcript = _timed(outcome)
    segments = [
        {"id": number, **segment.measured, "start": segment.start, "end": segment.end, "text": segment.text}
        for number, segment in enumerate(transcript.segments)
    ]
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": transcript.duration,
        **response(outcome, account),
        "segments": segments,
    }


def subtitles(outcome: Outcome, form: Literal["srt", "vtt"]) -> str:
    """The transcript as subtitles."""
    cues = ["WEBVTT\n"] if form == "vtt" else []
    point = "." if form == "vtt" else ","
    for number, segment in enumerate(_timed(outcome).segments, 1):
        # An empty line ends a cue, and an arrow would begin another one.
        text = re.sub("-+>", "->", " ".join(segment.text.split()))
        head = "" if form == "vtt" else f"{number}\n"
        cues.append(f"{head}{_time(segment.start, point)} --> {_time(segment.end, point)}\n{text}\n")
    return "\n".join(cues)


def _timed(outcome: Outcome) -> Transcript:
    if outcome.transcript is None:
        message = "the provider did not tell when something was said; ask for `response_format` json or text"
        raise WireError(502, message, "response_format", "no_segments")
    return outcome.transcript


def _time(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


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
