"""Google's Gemini: `generateContent` and `streamGenerateContent`."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from continuo.decisions.confidence import mean_probability
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import FinishReason, Message, ModelRequest, ModelResponse, Token, ToolCall, Usage, content_of
from continuo.parameters import NamedTool
from continuo.parts import Part, Reasoning, Text
from continuo.providers.anthropic import arguments
from continuo.providers.embeddings import Embedding, embedding
from continuo.providers.errors import AFTER_THE_END, error_in_stream, invalid_response, reading, refused
from continuo.providers.google_batches import GoogleBatches
from continuo.providers.protocol import NO_MEDIA, Json, WireProtocol, WireRequest

_REFUSALS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}

# Gemini 3 and later reject a turn whose first call comes back without the signature of the thought behind it. Another
# model's call has none, and gets the value that stands for "not checked".
_UNSIGNED = "skip_thought_signature_validator"


_CONFIG = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "seed": "seed",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "logprobs": "top_logprobs",
}

# The levels that every Gemini has which thinks.
_LEVELS = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}


class GoogleEmbeddings:
    def encode(self, base_url: str, model: str, request: ModelRequest) -> WireRequest:
        each: Json = {"model": f"models/{model}"}
        if request.dimensions is not None:
            each["outputDimensionality"] = request.dimensions
        requests = [{**each, "content": {"parts": [{"text": turn.text}]}} for turn in request.messages]
        return WireRequest(f"{base_url}/models/{quote(model, safe='')}:batchEmbedContents", {"requests": requests})

    def decode(self, body: Json) -> Embedding:
        with reading():
            return embedding([one["values"] for one in body["embeddings"]], None)


class Google(WireProtocol):
    carries = frozenset({"text", "image", "audio", "file"})
    lacks = frozenset({"parallel_tool_calls", "tokens"})
    embeds = 100
    embeddings = GoogleEmbeddings()
    batched = True
    batches = GoogleBatches()

    def key_headers(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key}

    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        extra: Json = request.extra.google if request.extra else {}
        body: Json = {**extra, "contents": _contents(request.messages, media)}
        if request.system:
            body["systemInstruction"] = {"parts": [{"text": request.system}]}
        if request.tools:
            declarations = [
                {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
                for tool in request.tools
            ]
            body["tools"] = [{"functionDeclarations": declarations}]
            if request.tool_choice:
                body["toolConfig"] = {"functionCallingConfig": _calling(request.tool_choice)}
        if config := {**extra.get("generationConfig", {}), **_config(request)}:
            body["generationConfig"] = config
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return WireRequest(f"{base_url}/models/{quote(model, safe='')}:{method}", body)

    def decode(self, body: Json) -> ModelResponse:
        stream = GoogleStream()
        stream.feed(body)
        return stream.finish()

    def stream_decoder(self) -> "GoogleStream":
        return GoogleStream()


def _config(request: ModelRequest) -> Json:
    config: Json = {name: value for name, field in _CONFIG.items() if (value := getattr(request, field)) is not None}
    if request.response_schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": request.response_schema}
    if request.response_format:
        config["responseMimeType"] = "application/json"
    if request.rated or request.logprobs:
        config["responseLogprobs"] = True
    if request.stop:
        config["stopSequences"] = list(request.stop)
    if request.reasoning_effort:
        config["thinkingConfig"] = {"thinkingLevel": _LEVELS.get(request.reasoning_effort, request.reasoning_effort)}
    return config


def _calling(choice: str | NamedTool) -> Json:
    if isinstance(choice, NamedTool):
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    return {"mode": {"auto": "AUTO", "none": "NONE", "required": "ANY"}[choice]}


class GoogleStream:
    """Each event has the shape of a whole response, with the part that is new."""

    def __init__(self) -> None:
        self._parts: list[Json] = []
        self._called = 0
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._mean: list[float] = []
        self._logprobs: list[Token] = []

    def feed(self, event: Json) -> list[Delta]:
        if "error" in event:
            raise error_in_stream(event)
        self._usage = _usage(event.get("usageMetadata")) or self._usage
        if blocked := (event.get("promptFeedback") or {}).get("blockReason"):
            raise refused(blocked, self._usage)
        if not (candidates := event.get("candidates")):
            return []
        with reading(self._usage):
            parts = [*map(_identified, (candidates[0].get("content") or {}).get("parts") or ())]
            if self._finish and any(part.get("text") or "functionCall" in part for part in parts):
                raise invalid_response(AFTER_THE_END, self._usage)
            self._parts += parts
            self._finish = candidates[0].get("finishReason") or self._finish
            if (mean := candidates[0].get("avgLogprobs")) is not None:
                # Of the whole answer, as far as it has come.
                self._mean = [mean]
            self._logprobs += _tokens(candidates[0].get("logprobsResult") or {})
            calls = _calls(parts)
            self._called += len(calls)
            return [*_thoughts_and_texts(parts), *_tool_deltas(calls, self._called - len(calls))]

    def finish(self) -> ModelResponse:
        text = _text(self._parts)
        if self._finish in _REFUSALS:
            raise refused(self._finish, self._usage)
        if self._finish is None:
            what = "the stream was cut before its end" if self._parts else "the response has no candidates"
            raise invalid_response(what, self._usage)
        calls = _calls(self._parts)
        if not text and not calls and self._finish != "MAX_TOKENS":
            raise invalid_response("the response has no content", self._usage)
        finish: FinishReason = "tool_calls" if calls else "length" if self._finish == "MAX_TOKENS" else "stop"
        content = content_of(one for part in _joined(self._parts) for one in _content(part))
        return ModelResponse(
            message=Message(role="assistant", content=content, tool_calls=calls),
            finish_reason=finish,
            usage=self._usage,
            confidence=mean_probability(self._mean),
            logprobs=tuple(self._logprobs),
        )


def _tokens(result: Json) -> Iterator[Token]:
    top = result.get("topCandidates") or ()
    for number, token in enumerate(result.get("chosenCandidates") or ()):
        likeliest = top[number].get("candidates") or () if number < len(top) else ()
        yield Token(
            text=token.get("token", ""),
            # A zero, which is a probability of 1, may be left out.
            logprob=token.get("logProbability", 0.0),
            top=tuple((one.get("token", ""), one.get("logProbability", 0.0)) for one in likeliest),
        )


def _identified(part: Json) -> Json:
    """The part, whose call has an id: often absent, and one of our own must differ from those of every other turn."""
    call = part.get("functionCall")
    return part if call is None or call.get("id") else {**part, "functionCall": {**call, "id": f"call_{uuid4().hex}"}}


def _calls(parts: Iterable[Json]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            id=part["functionCall"]["id"],
            name=part["functionCall"]["name"],
            arguments=json.dumps(part["functionCall"].get("args") or {}),
            signature=part.get("thoughtSignature"),
        )
        for part in parts
        if "functionCall" in part
    )


def _tool_deltas(calls: Iterable[ToolCall], first: int) -> Iterator[Delta]:
    for number, call in enumerate(calls, first):
        yield ToolDelta(number, call.id, call.name, call.arguments, call.signature)


def _thoughts_and_texts(parts: Iterable[Json]) -> Iterator[Delta]:
    for part in parts:
        for piece in _content(part):
            if isinstance(piece, Reasoning):
                yield ReasoningDelta(piece.text, piece.signature, "google")
            elif isinstance(piece, Text) and piece.text:
                yield TextDelta(piece.text)


def _text(parts: Iterable[Json]) -> str:
    """The answer's own text: a thought is none of it."""
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _joined(parts: Iterable[Json]) -> list[Json]:
    """The parts, with a thought that came in pieces as one."""
    joined: list[Json] = []
    for part in parts:
        if part.get("thought") and joined and joined[-1].get("thought") and not joined[-1].get("thoughtSignature"):
            joined[-1] = {**joined[-1], **part, "text": joined[-1].get("text", "") + part.get("text", "")}
        else:
            joined.append(part)
    return joined


def _content(part: Json) -> list[Part]:
    """What of an answer's part is content: a text's signature follows it, a call keeps its own."""
    text, signature = part.get("text", ""), part.get("thoughtSignature")
    if part.get("thought"):
        return [Reasoning(protocol="google", text=text, signature=signature)]
    if "functionCall" in part:
        return []
    return [Text(text=text), *([Reasoning(protocol="google", signature=signature)] if signature else [])]


def _contents(messages: tuple[Message, ...], media: Mapping[str, bytes]) -> list[Json]:
    """Tool results are a user's turn here, and name their function rather than the call."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [
        {"role": role, "parts": [part for message in turn for part in _parts(message, names, media)]}
        for role, turn in groupby(messages, lambda message: "model" if message.role == "assistant" else "user")
    ]


def _parts(message: Message, names: dict[str, str], media: Mapping[str, bytes]) -> list[Json]:
    if message.role == "tool":
        id = message.tool_call_id or ""
        result = {"id": id, "name": names.get(id, id), "response": {"result": message.text}}
        return [{"functionResponse": result}]
    calls = [_call(call, first=number == 0) for number, call in enumerate(message.tool_calls)]
    parts = [*_said(message.parts, media), *calls]
    return parts or [{"text": ""}]


def _call(call: ToolCall, *, first: bool) -> Json:
    signature = call.signature or (_UNSIGNED if first else None)
    part: Json = {"functionCall": {"id": call.id, "name": call.name, "args": arguments(call)}}
    return {**part, "thoughtSignature": signature} if signature else part


def _said(parts: Iterable[Part], media: Mapping[str, bytes]) -> list[Json]:
    """A thought that this protocol has signed goes back as it came: with its text, or on the text before it."""
    said: list[Json] = []
    for part in parts:
        if isinstance(part, Text):
            said.append({"text": part.text})
        elif not isinstance(part, Reasoning):
            data = b64encode(media[part.sha256]).decode()
            said.append({"inlineData": {"mimeType": part.media_type, "data": data}})
        elif part.protocol == "google" and part.signature:
            signed = {"thoughtSignature": part.signature}
            if part.text:
                said.append({"text": part.text, "thought": True, **signed})
            elif said and "text" in said[-1] and "thoughtSignature" not in said[-1]:
                said[-1] |= signed
            else:
                said.append({"text": "", **signed})
    return said


def _usage(metadata: Any) -> Usage | None:
    if not metadata or "promptTokenCount" not in metadata:
        return None
    # Thoughts are billed as output, and counted apart.
    written = (metadata.get("candidatesTokenCount") or 0) + (metadata.get("thoughtsTokenCount") or 0)
    return Usage(
        input_tokens=metadata["promptTokenCount"],
        output_tokens=written,
        cached_tokens=metadata.get("cachedContentTokenCount") or 0,
    )
