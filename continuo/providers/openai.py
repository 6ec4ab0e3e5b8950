"""OpenAI's Chat Completions, as it is spoken by OpenAI, Azure, Groq, OpenRouter, Hugging Face, Ollama and vLLM."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from continuo.decisions.confidence import mean_probability
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import FinishReason, Message, ModelRequest, ModelResponse, Token, ToolCall, Usage, content_of
from continuo.parameters import NamedTool
from continuo.parts import Audio, Image, Part, Reasoning, Text
from continuo.providers.embeddings import Embedding, embedding
from continuo.providers.errors import AFTER_THE_END, error_in_stream, invalid_response, reading, refused
from continuo.providers.openai_batches import OpenAIBatches
from continuo.providers.protocol import NO_MEDIA, Json, WireProtocol, WireRequest

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}

_AUDIO = {"audio/wav": "wav", "audio/mpeg": "mp3"}


_AS_THEY_ARE = (
    "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "top_logprobs", "verbosity", "user",
    "prompt_cache_key",
)  # fmt: skip


class OpenAIEmbeddings:
    def encode(self, base_url: str, model: str, request: ModelRequest) -> WireRequest:
        texts = [json.loads(turn.text) if request.tokens else turn.text for turn in request.messages]
        extra: Json = request.extra.openai if request.extra else {}
        # A third of the size of numbers; who does not know it gives numbers.
        body: Json = {**extra, "model": model, "input": texts, "encoding_format": "base64"}
        body |= {name: value for name in ("dimensions", "user") if (value := getattr(request, name)) is not None}
        return WireRequest(f"{base_url}/embeddings", body)

    def decode(self, body: Json) -> Embedding:
        counted = (body.get("usage") or {}).get("prompt_tokens")
        usage = None if counted is None else Usage(input_tokens=counted)
        with reading(usage):
            data = sorted(body["data"], key=lambda one: one.get("index", 0))
            numbers = [one.get("index", 0) for one in data]
            if len({*numbers}) > 1 and numbers != [*range(len(data))]:
                # Whose they are is not told by their order, and callers may share them.
                raise invalid_response(f"the response has embeddings of the numbers {numbers}", usage)
            return embedding([one["embedding"] for one in data], usage)


class OpenAI(WireProtocol):
    carries = frozenset({"text", "image", "audio", "file"})
    embeds = 2048
    embeddings = OpenAIEmbeddings()
    batched = True
    batches = OpenAIBatches("/v1/chat/completions")
    embeds_batched = True
    embedding_batches = OpenAIBatches("/v1/embeddings")

    def key_headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        extra: Json = request.extra.openai if request.extra else {}
        body: Json = {**extra, "model": model, "messages": turns(request, media), **_parameters(request)}
        if request.metadata and extra.get("store") is True:
            # The labels of an answer that is stored there; refused without.
            body["metadata"] = request.metadata
        if request.max_tokens is not None:
            body[_limit_name(base_url)] = request.max_tokens
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return WireRequest(f"{base_url}/chat/completions", body)

    def decode(self, body: Json) -> ModelResponse:
        usage = _usage(body.get("usage"))
        if not body.get("choices"):
            raise invalid_response("the response has no choices", usage)
        with reading(usage):
            choice = body["choices"][0]
            return _response(choice["message"], choice.get("finish_reason"), usage, _logprobs(choice))

    def stream_decoder(self) -> "OpenAIStream":
        return OpenAIStream()


class OpenAIStream:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._thought = ""
        self._refusal = ""
        self._numbers: dict[int, int] = {}
        self._calls: list[Json] = []
        self._begun: set[int] = set()
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._logprobs: list[Token] = []

    def feed(self, event: Json) -> list[Delta]:
        if event.get("error"):
            raise error_in_stream(event)
        self._usage = _usage(event.get("usage")) or self._usage
        if not event.get("choices"):
            return []
        choice = event["choices"][0]
        delta = choice.get("delta") or {}
        if self._finish and (_thought(delta) or any(delta.get(name) for name in ("content", "refusal", "tool_calls"))):
            raise invalid_response(AFTER_THE_END, self._usage)
        self._logprobs += _logprobs(choice)
        self._finish = choice.get("finish_reason") or self._finish
        self._refusal += delta.get("refusal") or ""
        thought, text = _thought(delta), delta.get("content") or ""
        self._thought += thought
        self._text.append(text)
        added: list[Delta] = [ReasoningDelta(thought, protocol="openai")] if thought else []
        added += [TextDelta(text)] if text else []
        added += [more for part in delta.get("tool_calls") or () for more in self._call(part)]
        return [*added, *self._unidentified()] if self._finish else added

    def _call(self, part: Json) -> list[Delta]:
        """More of a call. Its number here is its place among those of the answer, whatever the server's is.

        It begins with its id and its name, whichever comes later.
        """
        number = self._numbers.setdefault(part["index"], len(self._numbers))
        if number == len(self._calls):
            self._calls.append({"id": "", "function": {"name": "", "arguments": ""}})
        call, function = self._calls[number], part.get("function") or {}
        call["id"] = call["id"] or part.get("id") or ""
        for field in ("name", "arguments"):
            call["function"][field] += function.get(field) or ""
        if number in self._begun:
            return [ToolDelta(number, arguments=function.get("arguments") or "")]
        return [self._begin(number)] if call["id"] and call["function"]["name"] else []

    def _begin(self, number: int) -> ToolDelta:
        self._begun.add(number)
        call = self._calls[number]
        return ToolDelta(number, call["id"], **call["function"])

    def _unidentified(self) -> list[Delta]:
        """The calls for which no id came until the end: some servers give none."""
        named = (number for number, call in enumerate(self._calls) if call["function"]["name"])
        return [self._begin(number) for number in named if number not in self._begun]

    def finish(self) -> ModelResponse:
        if self._finish is None:
            raise invalid_response("the stream was cut before its end", self._usage)
        message = {
            "content": "".join(self._text),
            "reasoning": self._thought,
            "refusal": self._refusal,
            "tool_calls": self._calls,
        }
        return _response(message, self._finish, self._usage, self._logprobs)


def _parameters(request: ModelRequest) -> Json:
    """The parameters that are set, as this protocol calls them."""
    body: Json = {name: value for name in _AS_THEY_ARE if (value := getattr(request, name)) is not None}
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
        if isinstance(request.tool_choice, NamedTool):
            body["tool_choice"] = {"type": "function", "function": {"name": request.tool_choice.name}}
        elif request.tool_choice:
            body["tool_choice"] = request.tool_choice
    if request.response_schema is not None:
        schema = {"name": "answer", "schema": request.response_schema, "strict": request.strict is not False}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.response_format:
        body["response_format"] = {"type": request.response_format}
    if request.rated or request.logprobs:
        body["logprobs"] = True
    if request.reasoning_effort:
        body["reasoning_effort"] = "xhigh" if request.reasoning_effort == "max" else request.reasoning_effort
    if request.stop:
        body["stop"] = list(request.stop)
    return body


def _limit_name(base_url: str) -> str:
    """OpenAI's reasoning models reject `max_tokens`; compatible servers, as Ollama, ignore what took its place."""
    # Not above, see `errors`: it takes longer to load than all else that a catalog needs.
    from httpx import URL

    host = URL(base_url).host
    return "max_completion_tokens" if host.endswith((".openai.com", ".azure.com")) else "max_tokens"


def turns(request: ModelRequest, media: Mapping[str, bytes] = NO_MEDIA) -> list[Json]:
    """The request's turns, its instructions first."""
    messages: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
    return messages + [_message(message, media) for message in request.messages]


def _message(message: Message, media: Mapping[str, bytes]) -> Json:
    """Reasoning is left out: this protocol has no place for it in a request."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    content = [_part(part, media) for part in message.parts] if message.media else message.text
    body: Json = {"role": message.role, "content": content}
    if message.tool_calls:
        body["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return body


def _part(part: Part, media: Mapping[str, bytes]) -> Json:
    """One part of a user's turn."""
    if isinstance(part, Text | Reasoning):
        return {"type": "text", "text": part.text}
    content = media[part.sha256]
    if part.media_type == "text/plain":
        # Of files this protocol takes PDF alone.
        return {"type": "text", "text": f"{part.name}:\n{content.decode()}" if part.name else content.decode()}
    data = b64encode(content).decode()
    if isinstance(part, Audio):
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[part.media_type]}}
    url = f"data:{part.media_type};base64,{data}"
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": part.name or "file.pdf", "file_data": url}}


def _logprobs(choice: Json) -> list[Token]:
    return [
        Token(
            # Some servers tell how likely a token is, and not which: no reason to lose an answer that is paid.
            text=token.get("token") or "",
            logprob=token["logprob"],
            top=tuple((one.get("token") or "", one["logprob"]) for one in token.get("top_logprobs") or ()),
        )
        for token in (choice.get("logprobs") or {}).get("content") or ()
    ]


def _thought(message: Json) -> str:
    """The reasoning, as compatible servers name it: vLLM and DeepSeek the one way, Ollama and Groq the other."""
    thought: str = message.get("reasoning_content") or message.get("reasoning") or ""
    return thought if isinstance(thought, str) else ""


def _response(message: Json, finish: str | None, usage: Usage | None, logprobs: list[Token]) -> ModelResponse:
    text = message.get("content") or ""
    if message.get("refusal"):
        raise refused(message["refusal"], usage)
    if finish == "content_filter" and not text:
        raise refused("content filter", usage)
    calls = tuple(
        ToolCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    )
    thought = _thought(message)
    reasoning = [Reasoning(protocol="openai", text=thought)] if thought else []
    return ModelResponse(
        message=Message(role="assistant", content=content_of([*reasoning, Text(text=text)]), tool_calls=calls),
        finish_reason=_FINISH.get(finish or "", "tool_calls" if calls else "stop"),
        usage=usage,
        confidence=mean_probability([token.logprob for token in logprobs]),
        logprobs=tuple(logprobs),
    )


def _usage(counted: Any) -> Usage | None:
    if not counted:
        return None
    return Usage(
        input_tokens=counted["prompt_tokens"],
        output_tokens=counted["completion_tokens"],
        cached_tokens=(counted.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
    )
