"""From an outcome to a response."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from continuo.jobs import Outcome
from continuo.messages import FinishReason, Token, Usage
from continuo.parts import Reasoning, Text
from continuo.wire.pieces import finish_reason, message_of
from continuo.wire.responses.body import Body
from continuo.wire.responses.thoughts import reasoning_item
from continuo.wire.signatures import signed_id

_INCOMPLETE: Mapping[FinishReason, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(
    outcome: Outcome, account: Mapping[str, JsonValue], body: Body, *, id: str, created_at: float, completed_at: float
) -> dict[str, Any]:
    """The response to `body` whose run has ended; times are in seconds since 1970, `id` begins with `resp_`."""
    output = output_items(outcome, id)
    return ended(
        pending(body, id=id, created_at=created_at),
        output,
        finish_reason(outcome),
        outcome.usage,
        account,
        completed_at=completed_at,
    )


def pending(body: Body, *, id: str, created_at: float, status: str = "in_progress") -> dict[str, Any]:
    """The response to `body` as long as its run goes on, is *queued* or was *cancelled*: with no output."""
    reasoning = body.reasoning
    echoed = body.model_dump(
        mode="json",
        by_alias=True,
        include={
            "instructions", "max_output_tokens", "previous_response_id", "conversation", "temperature", "top_p",
            "user", "prompt_cache_key", "safety_identifier", "service_tier", "top_logprobs",
        },
    )  # fmt: skip
    return {
        **echoed,
        "id": id,
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": status,
        "background": bool(body.background),
        "error": None,
        "incomplete_details": None,
        "metadata": body.metadata or {},
        "model": body.model,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": reasoning.summary if reasoning else None,
        },
        "store": body.store is not False,
        "text": _text(body),
        "tool_choice": _choice(body),
        "tools": [tool.model_dump(mode="json", include=_TOOL) for tool in body.tools or ()],
        "truncation": "disabled",
        "usage": None,
    }


_TOOL = {"type", "name", "description", "parameters", "strict"}


def ended(
    begun: Mapping[str, Any],
    output: Sequence[Mapping[str, Any]],
    finish: FinishReason,
    used: Usage | None,
    account: Mapping[str, JsonValue],
    *,
    completed_at: float,
) -> dict[str, Any]:
    """The response that `begun` comes to."""
    reason = _INCOMPLETE.get(finish)
    return {
        **begun,
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else completed_at,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": list(output),
        "usage": usage(used or Usage()),
        "continuo": dict(account),
    }


def output_items(outcome: Outcome, id: str) -> list[dict[str, Any]]:
    """What the model thought, said and called."""
    message = message_of(outcome)
    items: list[dict[str, Any]] = []
    for part in message.parts:
        number = len(items)
        if isinstance(part, Reasoning):
            id_ = item_id("rs", id, number)
            items.append(reasoning_item(id_, part.text, part.signature, part.protocol, part.redacted))
        elif isinstance(part, Text):
            items.append(message_item(item_id("msg", id, number), part.text, logprobs(outcome.logprobs)))
    for call in message.tool_calls:
        call_id = signed_id(call.id, call.signature)
        items.append(call_item(item_id("fc", id, len(items)), call_id, call.name, call.arguments))
    return items


def item_id(kind: str, id: str, number: int) -> str:
    """The id of the item `number` of the response `id`, the same whenever it is told."""
    return f"{kind}_{id.removeprefix('resp_')}_{number}"


def message_item(id: str, text: str, logprobs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}],
    }


def call_item(id: str, call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": id,
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def usage(used: Usage) -> dict[str, Any]:
    return {
        "input_tokens": used.input_tokens,
        "input_tokens_details": {"cached_tokens": used.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": used.output_tokens,
        # Thoughts are not counted apart by every provider.
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used.input_tokens + used.output_tokens,
    }


def logprobs(tokens: Sequence[Token]) -> list[dict[str, Any]]:
    return [
        {**_logprob(token.text, token.logprob), "top_logprobs": [_logprob(*one) for one in token.top]}
        for token in tokens
    ]


def _logprob(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "bytes": list(text.encode()), "logprob": logprob}


def _text(body: Body) -> dict[str, Any]:
    made: dict[str, Any] = {"format": {"type": "text"}}
    if body.text:
        made |= body.text.model_dump(mode="json", by_alias=True, exclude_none=True)
    return made


def _choice(body: Body) -> Any:
    choice = body.tool_choice or "auto"
    return choice if isinstance(choice, str) else choice.model_dump()
