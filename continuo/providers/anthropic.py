"""Anthropic's Messages."""

import json
from base64 import b64encode
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.extra import BETAS
from continuo.messages import FinishReason, Message, ModelRequest, ModelResponse, ToolCall, Usage, content_of
from continuo.parameters import NamedTool
from continuo.parts import Image, Part, Reasoning, Text
from continuo.protection.reservation import max_output
from continuo.providers.anthropic_batches import AnthropicBatches
from continuo.providers.errors import error_in_stream, invalid_response, reading, refused
from continuo.providers.protocol import NO_MEDIA, Json, WireProtocol, WireRequest

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}

_FINISH: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}

# Thinking alone can use up the limit, and a stop sequence can come first: an answer without a word, but an answer.
_MAY_BE_EMPTY = {"max_tokens", "model_context_window_exceeded", "stop_sequence"}


class Anthropic(WireProtocol):
    carries = frozenset({"text", "image", "file"})
    lacks = frozenset({"seed", "response_format", "frequency_penalty", "presence_penalty"})
    headers = {"anthropic-version": "2023-06-01"}
    batched = True
    batches = AnthropicBatches()

    def key_headers(self, key: str) -> dict[str, str]:
        return {"x-api-key": key}

    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        extra: Json = request.extra.anthropic if request.extra else {}
        body: Json = {
            **{name: value for name, value in extra.items() if name != BETAS},
            "model": model,
            # The protocol demands a number.
            "max_tokens": request.max_tokens or max_output(request),
            "messages": _turns(request.messages, media),
        }
        if request.system:
            body["system"] = request.system
        if request.tools:
            body["tools"] = [
                {**tool.model_dump(exclude={"parameters"}), "input_schema": tool.parameters} for tool in request.tools
            ]
            if choice := _tool_choice(request):
                body["tool_choice"] = choice
        output: Json = {}
        if request.response_schema is not None:
            output["format"] = {"type": "json_schema", "schema": request.response_schema}
        if request.reasoning_effort:
            # Thinking less than this cannot be asked for.
            least = request.reasoning_effort in ("none", "minimal")
            output["effort"] = "low" if least else request.reasoning_effort
        if output:
            body["output_config"] = output
        if request.top_p is not None:
            body["top_p"] = request.top_p
        if request.user:
            body["metadata"] = {"user_id": request.user}
        if request.cache_control:
            body["cache_control"] = {"type": "ephemeral", "ttl": request.cache_control}
        if request.temperature is not None:
            # This protocol's scale ends at 1.
            body["temperature"] = min(request.temperature, 1.0)
        if request.stop:
            body["stop_sequences"] = list(request.stop)
        if stream:
            body["stream"] = True
        betas = {"anthropic-beta": ",".join(extra[BETAS])} if extra.get(BETAS) else {}
        return WireRequest(f"{base_url}/messages", body, headers=betas)

    def decode(self, body: Json) -> ModelResponse:
        usage = _usage(body.get("usage"))
        with reading(usage):
            return _response(body["content"], body.get("stop_reason"), usage)

    def stream_decoder(self) -> "AnthropicStream":
        return AnthropicStream()


class AnthropicStream:
    def __init__(self) -> None:
        self._blocks: dict[int, Json] = {}
        self._numbers: dict[int, int] = {}
        self._usage: Json = {}
        self._stop: str | None = None
        self._ended = False

    def feed(self, event: Json) -> list[Delta]:
        match event["type"]:
            case "error":
                raise error_in_stream(event)
            case "message_start":
                self._count(event["message"].get("usage"))
            case "content_block_start":
                if event["index"] in self._blocks:
                    raise invalid_response(f"the stream begins its block {event['index']} twice")
                self._blocks[event["index"]] = {**event["content_block"], "json": ""}
                return self._begun(event["index"], event["content_block"])
            case "content_block_delta":
                return self._more(event["index"], event["delta"])
            case "content_block_stop":
                return self._ended_block(event["index"])
            case "message_delta":
                self._stop = event["delta"].get("stop_reason") or self._stop
                self._count(event.get("usage"))
            case "message_stop":
                self._ended = True
        return []

    def finish(self) -> ModelResponse:
        if not self._ended:
            raise invalid_response("the stream was cut before its end", _usage(self._usage))
        blocks = [*self._blocks.values()]
        return _response(blocks, self._stop, _usage(self._usage))

    def _count(self, usage: Json | None) -> None:
        # The later counts are totals too, but leave out, or have null for, what has not changed.
        self._usage |= {name: count for name, count in (usage or {}).items() if count is not None}

    def _begun(self, index: int, block: Json) -> list[Delta]:
        match block["type"]:
            case "text" if block["text"]:
                return [TextDelta(block["text"])]
            case "thinking" if block["thinking"]:
                return [ReasoningDelta(block["thinking"], protocol="anthropic")]
            case "redacted_thinking":
                return [ReasoningDelta("", block["data"], "anthropic", redacted=True)]
            case "tool_use":
                number = self._numbers.setdefault(index, len(self._numbers))
                return [ToolDelta(number, block["id"], block["name"])]
        return []

    def _more(self, index: int, delta: Json) -> list[Delta]:
        block = self._blocks[index]
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
                return [TextDelta(delta["text"])]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
                return [ReasoningDelta(delta["thinking"], protocol="anthropic")]
            case "signature_delta":
                block["signature"] = delta["signature"]
                return [ReasoningDelta("", delta["signature"], "anthropic")]
            case "input_json_delta":
                block["json"] += delta["partial_json"]
                return [ToolDelta(self._numbers[index], arguments=delta["partial_json"])]
        return []

    def _ended_block(self, index: int) -> list[Delta]:
        block = self._blocks[index]
        if block["type"] != "tool_use" or block["json"]:
            return []
        # One without arguments comes without a piece of them.
        block["json"] = json.dumps(block["input"])
        return [ToolDelta(self._numbers[index], arguments=block["json"])]


def _tool_choice(request: ModelRequest) -> Json | None:
    choice = request.tool_choice
    if choice is None and request.parallel_tool_calls is not False:
        return None
    if isinstance(choice, NamedTool):
        body: Json = {"type": "tool", "name": choice.name}
    else:
        body = {"type": _CHOICES[choice or "auto"]}
    if request.parallel_tool_calls is False and choice != "none":
        body["disable_parallel_tool_use"] = True
    return body


def _turns(messages: tuple[Message, ...], media: Mapping[str, bytes]) -> list[Json]:
    """Tool results are a user's turn here, and several in a row are one."""
    return [
        {"role": role, "content": [block for message in turn for block in _blocks(message, media)]}
        for role, turn in groupby(messages, lambda message: "assistant" if message.role == "assistant" else "user")
    ]


def _blocks(message: Message, media: Mapping[str, bytes]) -> list[Json]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text}]
    parts = (part for part in message.parts if not isinstance(part, Reasoning) or _is_ours(part))
    return [*(_block(part, media) for part in parts), *map(_tool_use, message.tool_calls)]


def _is_ours(part: Reasoning) -> bool:
    """Whether the provider takes the thought back: it refuses another's, and one without its signature."""
    return part.protocol == "anthropic" and part.signature is not None


def _block(part: Part, media: Mapping[str, bytes]) -> Json:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Reasoning):
        if part.redacted:
            return {"type": "redacted_thinking", "data": part.signature}
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    content = media[part.sha256]
    source = {"type": "base64", "media_type": part.media_type, "data": b64encode(content).decode()}
    if part.media_type == "text/plain":
        source = {"type": "text", "media_type": "text/plain", "data": content.decode()}
    if isinstance(part, Image):
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, **({"title": part.name} if part.name else {})}


def _tool_use(call: ToolCall) -> Json:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments(call)}


def arguments(call: ToolCall) -> Json:
    """The arguments as an object, which this protocol and Gemini's demand; what is no object is handed back as text."""
    try:
        value = json.loads(call.arguments or "{}", parse_constant=_refuse)
    except ValueError:
        value = call.arguments
    return value if isinstance(value, dict) else {"invalid": value}


def _refuse(constant: str) -> None:
    """NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(constant)


def _response(blocks: list[Json], stop: str | None, usage: Usage | None) -> ModelResponse:
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    if stop == "refusal":
        raise refused(text or "no reason given", usage)
    calls = tuple(
        ToolCall(id=block["id"], name=block["name"], arguments=block.get("json") or json.dumps(block["input"]))
        for block in blocks
        if block["type"] == "tool_use"
    )
    if not text and not calls and stop not in _MAY_BE_EMPTY:
        raise invalid_response("the response has no content", usage)
    content = content_of(part for block in blocks for part in _parts(block))
    return ModelResponse(
        message=Message(role="assistant", content=content, tool_calls=calls),
        finish_reason=_FINISH.get(stop or "", "stop"),
        usage=usage,
    )


def _parts(block: Json) -> list[Part]:
    """What of an answer is content; a block that is not known here is none."""
    match block["type"]:
        case "text":
            return [Text(text=block["text"])]
        case "thinking":
            return [Reasoning(protocol="anthropic", text=block["thinking"], signature=block.get("signature") or None)]
        case "redacted_thinking":
            return [Reasoning(protocol="anthropic", signature=block["data"], redacted=True)]
    return []


def _usage(counted: Any) -> Usage | None:
    if not counted or "input_tokens" not in counted:
        return None
    # Reported apart here, while our `input_tokens` are all that was read.
    cached = counted.get("cache_read_input_tokens") or 0
    written = counted.get("cache_creation_input_tokens") or 0
    return Usage(
        input_tokens=counted["input_tokens"] + cached + written,
        output_tokens=counted.get("output_tokens") or 0,
        cached_tokens=cached,
        written_tokens=written,
        written_1h_tokens=(counted.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0,
    )
