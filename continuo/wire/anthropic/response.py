"""From an outcome to a message."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from continuo.jobs import Outcome
from continuo.messages import FinishReason, Usage
from continuo.parts import Reasoning, Text
from continuo.providers.anthropic import arguments
from continuo.wire.pieces import finish_reason, message_of
from continuo.wire.signatures import signature, signed_id

STOP_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"
}  # fmt: skip


def response(outcome: Outcome, account: Mapping[str, JsonValue], *, id: str, model: str) -> dict[str, Any]:
    """The message; `id` begins with `msg_`, `model` is the one that was named in the request."""
    message = message_of(outcome)
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
        elif isinstance(part, Reasoning):
            signed = signature("anthropic", part.protocol, part.signature)
            content.append(
                {"type": "redacted_thinking", "data": signed}
                if part.redacted
                else {"type": "thinking", "thinking": part.text, "signature": signed}
            )
    for call in message.tool_calls:
        id_ = signed_id(call.id, call.signature)
        content.append({"type": "tool_use", "id": id_, "name": call.name, "input": arguments(call)})
    return {
        **frame(id, model),
        "content": content,
        "stop_reason": STOP_REASONS[finish_reason(outcome)],
        "usage": usage(outcome.usage or Usage()),
        "continuo": dict(account),
    }


def frame(id: str, model: str) -> dict[str, Any]:
    """A message that has nothing yet."""
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage(Usage()),
    }


def usage(used: Usage) -> dict[str, int]:
    """Here `input_tokens` are without those that were read from a cache."""
    return {
        "input_tokens": used.input_tokens - used.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": used.cached_tokens,
        "output_tokens": used.output_tokens,
    }
