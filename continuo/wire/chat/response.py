"""From an outcome to a completion."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from continuo.jobs import Outcome
from continuo.messages import Message, Token, ToolCall, Usage
from continuo.parts import Reasoning
from continuo.wire.pieces import finish_reason, message_of
from continuo.wire.signatures import signed_id


def response(
    outcome: Outcome,
    account: Mapping[str, JsonValue],
    *,
    id: str,
    model: str,
    created: int,
    choices: Sequence[Outcome] = (),
) -> dict[str, Any]:
    """The completion; `id` begins with `chatcmpl-`, `model` is the one that was named, `created` in seconds since
    1970. Of several `choices` the outcome has the usage together."""
    made = [
        {
            "index": index,
            "message": _message(message_of(one)),
            "finish_reason": finish_reason(one),
            "logprobs": logprobs(one.logprobs),
        }
        for index, one in enumerate(choices or [outcome])
    ]
    return {
        **frame("chat.completion", id, model, created),
        "choices": made,
        "usage": usage(outcome.usage or Usage()),
        "continuo": dict(account),
    }


def frame(kind: str, id: str, model: str, created: int) -> dict[str, Any]:
    """What a completion and each of its chunks begin with."""
    return {"id": id, "object": kind, "created": created, "model": model}


def usage(used: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "total_tokens": used.input_tokens + used.output_tokens,
        "prompt_tokens_details": {"cached_tokens": used.cached_tokens},
    }


def call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": "assistant", "content": message.text or None, "refusal": None}
    if thought := "".join(part.text for part in message.parts if isinstance(part, Reasoning)):
        made["reasoning_content"] = thought
    if message.tool_calls:
        made["tool_calls"] = [_call(one) for one in message.tool_calls]
    return made


def _call(made: ToolCall) -> dict[str, Any]:
    return call(signed_id(made.id, made.signature), made.name, made.arguments)


def logprobs(tokens: Sequence[Token]) -> dict[str, Any] | None:
    """What is told of the tokens; nothing where that was not asked for."""
    if not tokens:
        return None
    content = [
        {**_logprob(token.text, token.logprob), "top_logprobs": [_logprob(*one) for one in token.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _logprob(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "bytes": list(text.encode()), "logprob": logprob}
