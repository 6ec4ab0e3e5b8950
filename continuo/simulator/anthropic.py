"""The shapes of Anthropic's Messages."""

import json
from collections.abc import Iterator

from continuo.simulator.reply import (
    Json,
    Question,
    Reply,
    begun,
    check_signature,
    chosen,
    medium,
    new_id,
    pieces,
    signature,
    slices,
    text_of,
    turns_before,
)

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "content_filter": "refusal"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def question(body: Json) -> Question:
    turns = [(turn["role"], turn["content"]) for turn in body["messages"]]
    texts = [(role, text_of(content)) for role, content in turns]
    prompts = [text for role, text in texts if role == "user" and text]
    blocks = [block for _, content in turns if isinstance(content, list) for block in content]
    for block in blocks:
        if block["type"] == "thinking":
            check_signature(block["thinking"], block["signature"])
    results = [block for block in blocks if block["type"] == "tool_result"]
    if texts[-1][0] == "assistant" and texts[-1][1] != texts[-1][1].rstrip():
        raise ValueError("final assistant content cannot end with trailing whitespace")
    said = [text_of(body.get("system")), *(text for _, text in texts)]
    said += [text_of(result.get("content")) for result in results]
    tools = tuple(tool["name"] for tool in body.get("tools") or ())
    choice = body.get("tool_choice") or {"type": "auto"}
    return Question(
        prompt=prompts[-1] if prompts else "",
        length=sum(map(len, said)),
        tools=tools,
        choice=chosen({"any": "required", "tool": choice.get("name")}.get(choice["type"], choice["type"]), tools),
        answered_tool=bool(results),
        media=tuple(_medium(block["source"]) for block in blocks if block["type"] in ("image", "document")),
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
        turn=turns_before(
            sum(role == "assistant" for role, _ in turns),
            (block["id"] for block in blocks if block["type"] == "tool_use"),
        ),
        begun=begun(texts),
    )


def _medium(source: Json) -> tuple[str, int]:
    if source["type"] == "text":
        return source["media_type"], len(source["data"].encode())
    return medium(source["media_type"], source["data"])


def answer(model: str, reply: Reply) -> Json:
    return {**_shell(model), "content": _content(reply), "stop_reason": _stop(reply), **_usage(reply)}


def stream(model: str, reply: Reply) -> Iterator[str]:
    usage = _usage(reply).get("usage")
    begun = {"usage": {**usage, "output_tokens": 1}} if usage else {}
    yield _event({"type": "message_start", "message": {**_shell(model), **begun}})
    yield _event({"type": "ping"})
    for index, block in enumerate(_content(reply)):
        opening: Json
        if block["type"] == "tool_use":
            opening = {**block, "input": {}}
            parts = slices(json.dumps(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        elif block["type"] == "thinking":
            opening = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        else:
            opening = {**block, "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        yield _event({"type": "content_block_start", "index": index, "content_block": opening})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    # All counts, not only that of the answer: some clients take each of them from here.
    yield _event(
        {"type": "message_delta", "delta": {"stop_reason": _stop(reply), "stop_sequence": None}, **_usage(reply)}
    )
    yield _event({"type": "message_stop"})


def error(status: int, message: str, code: str | None) -> Json:
    kind = code or _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": new_id("req_")}


def _shell(model: str) -> Json:
    return {"id": new_id("msg_"), "type": "message", "role": "assistant", "model": model,
            "content": [], "stop_reason": None, "stop_sequence": None}  # fmt: skip


def _event(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _content(reply: Reply) -> list[Json]:
    thought: Json = {"type": "thinking", "thinking": reply.thought, "signature": signature(reply.thought)}
    thoughts = [thought] if reply.thought else []
    texts: list[Json] = [{"type": "text", "text": reply.text}] if reply.text else []
    tools = [{"type": "tool_use", "id": id, "name": name, "input": given} for id, name, given in reply.tools]
    return [*thoughts, *texts, *tools]


def _stop(reply: Reply) -> str:
    return "refusal" if reply.refusal else _FINISH[reply.finish]


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usage": {"input_tokens": read - cached, "cache_read_input_tokens": cached,
                      "cache_creation_input_tokens": 0, "output_tokens": written}}  # fmt: skip
