"""Transcriptions of audio, as OpenAI's protocol has them: a form with a file goes out, a text comes back."""

import json
from collections.abc import Mapping
from typing import Any

from continuo.config.catalog import Model
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse, Segment, Transcript, Usage
from continuo.parts import Audio
from continuo.providers.errors import reading
from continuo.providers.protocol import Json, WireRequest


def encode(base_url: str, model: Model, request: ModelRequest, media: Mapping[str, bytes]) -> WireRequest:
    """What is posted. Instructions and the text beside the audio are its `prompt`: words and names that are spoken.

    Raises `ProviderError` unless the request has one audio.
    """
    audio = audio_of(request)
    fields: Json = {**(request.extra.openai if request.extra else {}), "model": model.name}
    # Only the long form tells the seconds everywhere, and models that are paid by tokens have none.
    timed = request.segments or (model.price and model.price.minute)
    fields["response_format"] = "verbose_json" if timed else "json"
    if prompt := "\n\n".join(filter(None, (request.system, request.prompt))):
        fields["prompt"] = prompt
    if request.temperature is not None:
        fields["temperature"] = request.temperature
    # Servers read the type from the name.
    suffix = {"audio/wav": ".wav", "audio/mpeg": ".mp3"}[audio.media_type]
    file = (f"audio{suffix}", media[audio.sha256], audio.media_type)
    return WireRequest(
        f"{base_url}/audio/transcriptions", {name: _field(value) for name, value in fields.items()}, {"file": file}
    )


def decode(body: Json) -> ModelResponse:
    with reading():
        usage = _usage(body)
        with reading(usage):
            text: str = body["text"]
            message = Message(role="assistant", content=text)
            return ModelResponse(message=message, finish_reason="stop", usage=usage, transcript=_transcript(body))


def audio_of(request: ModelRequest) -> Audio:
    """The request's one audio. Raises `ProviderError` where it has another number of them."""
    audios = [part for part in request.media if isinstance(part, Audio)]
    if len(audios) != 1:
        raise ProviderError("invalid_request", f"a transcription is of one audio, and the request has {len(audios)}")
    return audios[0]


def _field(value: Any) -> Any:
    """A form's field is a text, or several."""
    return json.dumps(value) if isinstance(value, dict) else value


def _transcript(body: Json) -> Transcript | None:
    """None where it is told in another shape: no reason to lose an answer that is paid."""
    if body.get("segments") is None:
        return None
    try:
        segments = tuple(map(_segment, body["segments"]))
        duration = float(body.get("duration") or 0.0)
        return Transcript(language=body.get("language") or "", duration=duration, segments=segments)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _segment(body: Json) -> Segment:
    measured = {name: value for name, value in body.items() if name not in ("start", "end", "text")}
    return Segment(start=body["start"], end=body["end"], text=body["text"], measured=measured)


def _usage(body: Json) -> Usage | None:
    """Tokens or seconds; older servers tell the duration alone, and some of them as a text."""
    counted = body.get("usage") or {}
    if "input_tokens" in counted:
        return Usage(input_tokens=counted["input_tokens"], output_tokens=counted["output_tokens"])
    seconds = counted.get("seconds", body.get("duration"))
    return None if seconds is None else Usage(seconds=float(seconds))
