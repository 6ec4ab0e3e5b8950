"""The shapes of transcriptions, by OpenAI's protocol: a form with an audio file, answered by what is said in it."""

import re
import wave
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import HTTP
from hashlib import sha256
from io import BytesIO

from starlette.requests import Request

from continuo.simulator import openai
from continuo.simulator.reply import Json, Question, Reply

error = openai.error

MP3 = 16_000
"""Bytes a second that any file is taken to have that is not WAV."""


async def form(request: Request) -> Json:
    """The form's fields; in place of its file stands what that is. Raises `ValueError` for what is no such form."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n"
    message = message_from_bytes(head.encode() + await request.body(), policy=HTTP)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        raise ValueError("not multipart/form-data")
    fields: Json = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not isinstance(name, str):
            raise ValueError("a part of the form has no name or no content")
        if (filename := part.get_filename()) is None:
            fields[name] = content.decode()
        else:
            fields[name] = {
                "name": filename,
                "type": part.get_content_type(),
                "size": len(content),
                "sha256": sha256(content).hexdigest(),
                "seconds": _seconds(content),
            }
    return fields


def question(body: Json) -> Question:
    file, form_of_answer = body["file"], body.get("response_format", "json")
    if not file["size"]:
        raise ValueError("the file is empty")
    if body.get("stream") or form_of_answer not in ("json", "verbose_json"):
        raise ValueError("only json and verbose_json are answered here, and no streams")
    prompt = body.get("prompt", "")
    return Question(
        prompt=prompt,
        length=len(prompt),
        tools=(),
        answered_tool=False,
        schema=None,
        media=((file["type"], file["size"]),),
        seconds=file["seconds"] if form_of_answer == "verbose_json" else 0.0,
    )


def answer(model: str, reply: Reply) -> Json:
    body: Json = {} if reply.empty else {"text": reply.text}
    if reply.seconds:
        counts = {"usage": {"type": "duration", "seconds": reply.seconds}} if reply.tokens else {}
        return {
            "task": "transcribe",
            "language": "english",
            "duration": reply.seconds,
            "segments": _segments(reply.text, reply.seconds),
            **body,
            **counts,
        }
    if reply.tokens is None:
        return body
    read, written, _ = reply.tokens
    details = {"text_tokens": 0, "audio_tokens": read}
    usage = {"type": "tokens", "input_tokens": read, "output_tokens": written, "total_tokens": read + written,
             "input_token_details": details}  # fmt: skip
    return {**body, "usage": usage}


def stream(model: str, reply: Reply) -> Iterator[str]:
    raise NotImplementedError


def _segments(text: str, seconds: float) -> list[Json]:
    """A sentence each, all of the same length."""
    sentences = re.findall(r"\S[^.!?]*[.!?]*", text)
    length = seconds / max(1, len(sentences))
    measured = {"seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0}
    return [
        {"id": id, "start": id * length, "end": (id + 1) * length, "text": said, **measured, "no_speech_prob": 0.0}
        for id, said in enumerate(sentences)
    ]


def _seconds(content: bytes) -> float:
    try:
        with wave.open(BytesIO(content)) as file:
            seconds: float = file.getnframes() / file.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError, RuntimeError):
        return len(content) / MP3
    return seconds
