"""Google's Gemini: `generateContent` and `streamGenerateContent`."""

import json
from itertools import groupby
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from continuo.decisions.confidence import mean_probability
from continuo.messages import FinishReason, Message, ModelRequest, ModelResponse, ToolCall, Usage
from continuo.providers.anthropic import arguments
from continuo.providers.errors import error_in_stream, invalid_response, reading, refused
from continuo.providers.protocol import Json, WireRequest

_REFUSALS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}

# Gemini 3 and later reject a call that comes back without the signature of the thought behind it. Another model's
# call has none, and `ToolCall` keeps none, so the first of each turn gets the value that stands for "not checked".
_UNSIGNED = "skip_thought_signature_validator"


class Google:
    headers: dict[str, str] = {}

    def key_headers(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key}

    def encode(self, base_url: str, model: str, request: ModelRequest, *, stream: bool) -> WireRequest:
        body: Json = {"contents": _contents(request.messages)}
        if request.system:
            body["systemInstruction"] = {"parts": [{"text": request.system}]}
        if request.tools:
            declarations = [
                {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
                for tool in request.tools
            ]
            body["tools"] = [{"functionDeclarations": declarations}]
        config: Json = {}
        if request.response_schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.response_schema}
        if request.max_tokens is not None:
            config["maxOutputTokens"] = request.max_tokens
        if request.temperature is not None:
            config["temperature"] = request.temperature
        if request.rated:
            config["responseLogprobs"] = True
        if request.stop:
            config["stopSequences"] = list(request.stop)
        if config:
            body["generationConfig"] = config
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return WireRequest(f"{base_url}/models/{quote(model, safe='')}:{method}", body)

    def decode(self, body: Json) -> ModelResponse:
        stream = GoogleStream()
        stream.feed(body)
        return stream.finish()

    def stream_decoder(self) -> "GoogleStream":
        return GoogleStream()


class GoogleStream:
    """Each event has the shape of a whole response, with the part that is new."""

    def __init__(self) -> None:
        self._parts: list[Json] = []
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._logprobs: list[float] = []

    def feed(self, event: Json) -> str:
        if "error" in event:
            raise error_in_stream(event)
        self._usage = _usage(event.get("usageMetadata")) or self._usage
        if blocked := (event.get("promptFeedback") or {}).get("blockReason"):
            raise refused(blocked, self._usage)
        if not (candidates := event.get("candidates")):
            return ""
        with reading(self._usage):
            # A thought is the model's own, not its answer.
            found = (candidates[0].get("content") or {}).get("parts") or ()
            parts = [part for part in found if not part.get("thought")]
            self._parts += parts
            self._finish = candidates[0].get("finishReason") or self._finish
            if (mean := candidates[0].get("avgLogprobs")) is not None:
                # Of the whole answer, as far as it has come.
                self._logprobs = [mean]
            return _text(parts)

    def finish(self) -> ModelResponse:
        text = _text(self._parts)
        if self._finish in _REFUSALS:
            raise refused(self._finish, self._usage)
        if self._finish is None:
            what = "the stream was cut before its end" if self._parts else "the response has no candidates"
            raise invalid_response(what, self._usage)
        calls = tuple(
            ToolCall(
                # Often absent. One of our own must differ from those of every other turn, which it stands next to.
                id=part["functionCall"].get("id") or f"call_{uuid4().hex}",
                name=part["functionCall"]["name"],
                arguments=json.dumps(part["functionCall"].get("args") or {}),
            )
            for part in self._parts
            if "functionCall" in part
        )
        if not text and not calls and self._finish != "MAX_TOKENS":
            raise invalid_response("the response has no content", self._usage)
        finish: FinishReason = "tool_calls" if calls else "length" if self._finish == "MAX_TOKENS" else "stop"
        return ModelResponse(
            message=Message(role="assistant", content=text, tool_calls=calls),
            finish_reason=finish,
            usage=self._usage,
            confidence=mean_probability(self._logprobs),
        )


def _text(parts: list[Json]) -> str:
    return "".join(part.get("text", "") for part in parts)


def _contents(messages: tuple[Message, ...]) -> list[Json]:
    """Tool results are a user's turn here, and name their function rather than the call."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [
        {"role": role, "parts": [part for message in turn for part in _parts(message, names)]}
        for role, turn in groupby(messages, lambda message: "model" if message.role == "assistant" else "user")
    ]


def _parts(message: Message, names: dict[str, str]) -> list[Json]:
    if message.role == "tool":
        id = message.tool_call_id or ""
        result = {"id": id, "name": names.get(id, id), "response": {"result": message.content}}
        return [{"functionResponse": result}]
    calls: list[Json] = [
        {"functionCall": {"id": call.id, "name": call.name, "args": arguments(call)}} for call in message.tool_calls
    ]
    if calls:
        calls[0]["thoughtSignature"] = _UNSIGNED
    return [*([{"text": message.content}] if message.content or not calls else []), *calls]


def _usage(found: Any) -> Usage | None:
    if not found or "promptTokenCount" not in found:
        return None
    # Thoughts are billed as output, and counted apart.
    written = (found.get("candidatesTokenCount") or 0) + (found.get("thoughtsTokenCount") or 0)
    return Usage(
        input_tokens=found["promptTokenCount"],
        output_tokens=written,
        cached_tokens=found.get("cachedContentTokenCount") or 0,
    )
