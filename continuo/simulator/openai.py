"""The shapes of OpenAI's Chat Completions."""

import json
import time
from collections.abc import Iterator

from continuo.simulator.reply import (
    REFUSAL,
    Json,
    Question,
    Reply,
    begun,
    chosen,
    data_url,
    logarithm,
    medium,
    new_id,
    pieces,
    slices,
    text_of,
    turns_before,
)

_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def question(body: Json) -> Question:
    messages = body["messages"]
    texts = [text_of(message.get("content")) for message in messages]
    prompts = [text for message, text in zip(messages, texts, strict=True) if message["role"] == "user"]
    tools = tuple(tool["function"]["name"] for tool in body.get("tools") or ())
    choice = body.get("tool_choice")
    return Question(
        prompt=prompts[-1] if prompts else "",
        length=sum(map(len, texts)),
        tools=tools,
        choice=chosen(choice["function"]["name"] if isinstance(choice, dict) else choice, tools),
        answered_tool=any(message["role"] == "tool" for message in messages),
        schema=((body.get("response_format") or {}).get("json_schema") or {}).get("schema"),
        json=(body.get("response_format") or {}).get("type") == "json_object",
        logprobs=bool(body.get("logprobs")),
        top=body.get("top_logprobs") or 0,
        media=tuple(item for message in messages for item in _media(message.get("content"))),
        turn=turns_before(
            sum(message["role"] == "assistant" for message in messages),
            (call["id"] for message in messages for call in message.get("tool_calls") or ()),
        ),
        begun=begun([(message["role"], text) for message, text in zip(messages, texts, strict=True)]),
        counts=not body.get("stream") or bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _media(content: str | list[Json] | None) -> Iterator[tuple[str, int]]:
    for part in content if isinstance(content, list) else ():
        match part["type"]:
            case "image_url":
                yield data_url(part["image_url"]["url"])
            case "input_audio":
                yield medium(f"audio/{part['input_audio']['format']}", part["input_audio"]["data"])
            case "file":
                yield data_url(part["file"]["file_data"])


def answer(model: str, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": REFUSAL if reply.refusal else None}
    if reply.thought:
        message["reasoning_content"] = reply.thought
    if reply.tools:
        message["tool_calls"] = _tools(reply)
    choice = {"index": 0, "message": message, "logprobs": _logprobs(reply, pieces(reply.text)),
              "finish_reason": _finish(reply)}  # fmt: skip
    shell = _shell("chat.completion", model)
    return {**shell, "choices": [] if reply.empty else [choice], **_usage(reply)}


def stream(model: str, reply: Reply) -> Iterator[str]:
    shell = _shell("chat.completion.chunk", model)
    for choice in () if reply.empty else _choices(reply):
        yield _event({**shell, "choices": [choice]})
    if reply.tokens:
        yield _event({**shell, "choices": [], **_usage(reply)})
    yield "data: [DONE]\n\n"


def error(status: int, message: str, code: str | None) -> Json:
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code or _CODES.get(status)}}


def _choices(reply: Reply) -> Iterator[Json]:
    yield _choice({"role": "assistant", "content": "", "refusal": None})
    for piece in pieces(reply.thought) if reply.thought else ():
        yield _choice({"reasoning_content": piece})
    for piece in pieces(reply.text) if reply.text else ():
        yield {**_choice({"content": piece}), "logprobs": _logprobs(reply, [piece])}
    if reply.refusal:
        yield _choice({"refusal": REFUSAL})
    for index, tool in enumerate(_tools(reply)):
        yield _choice({"tool_calls": [{"index": index, **tool, "function": {**tool["function"], "arguments": ""}}]})
        for part in slices(tool["function"]["arguments"]):
            yield _choice({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield {**_choice({}), "finish_reason": _finish(reply)}


def _choice(delta: Json) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}


def _shell(kind: str, model: str) -> Json:
    return {"id": new_id("chatcmpl-"), "object": kind, "created": int(time.time()), "model": model}


def _event(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


def _tools(reply: Reply) -> list[Json]:
    return [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for id, name, arguments in reply.tools
    ]


def _logprobs(reply: Reply, tokens: list[str]) -> Json | None:
    if reply.logprobs is None:
        return None
    each = logarithm(reply.logprobs)
    content = [
        {**one, "top_logprobs": [one] * min(reply.top, 1)}
        for one in ({"token": token, "logprob": each, "bytes": list(token.encode())} for token in tokens)
    ]
    return {"content": content, "refusal": None}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.tools else reply.finish


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written,
                      "prompt_tokens_details": {"cached_tokens": cached}}}  # fmt: skip
