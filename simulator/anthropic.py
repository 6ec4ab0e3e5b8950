"""The shapes of Anthropic's Messages."""

import json
from collections.abc import Iterator

from simulator.reply import Json, Question, Reply, pieces

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}


def question(body: Json) -> Question:
    turns = [(turn["role"], _blocks(turn["content"])) for turn in body["messages"]]
    texts = [(role, "".join(block.get("text", "") for block in blocks)) for role, blocks in turns]
    asked = [text for role, text in texts if role == "user" and text]
    return Question(
        prompt=asked[-1] if asked else "",
        length=sum(len(text) for _, text in texts) + len(str(body.get("system", ""))),
        tools=tuple(tool["name"] for tool in body.get("tools", ())),
        answered_tool=any(block["type"] == "tool_result" for block in turns[-1][1]),
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
    )


def answer(model: str, question: Question, reply: Reply) -> Json:
    return {"id": "msg_sim", "type": "message", "role": "assistant", "model": model, "content": _content(reply),
            "stop_reason": _stop(reply), "stop_sequence": None, **_usage(reply)}  # fmt: skip


def empty(body: Json) -> Json:
    return {**body, "content": []}


def stream(model: str, reply: Reply) -> Iterator[str]:
    usage = _usage(reply).get("usage", {})
    start = {"id": "msg_sim", "type": "message", "role": "assistant", "model": model, "content": []}
    counted = {"usage": {**usage, "output_tokens": 1}} if usage else {}
    yield _event({"type": "message_start", "message": {**start, **counted}})
    for index, block in enumerate(_content(reply)):
        tool = block["type"] == "tool_use"
        opening = {**block, "input": {}} if tool else {**block, "text": ""}
        yield _event({"type": "content_block_start", "index": index, "content_block": opening})
        if tool:
            text = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": text[at : at + 5]} for at in range(0, len(text), 5)]
        else:
            deltas = [{"type": "text_delta", "text": part} for part in pieces(block["text"])]
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    written = {"usage": {"output_tokens": usage["output_tokens"]}} if usage else {}
    yield _event({"type": "message_delta", "delta": {"stop_reason": _stop(reply)}, **written})
    yield _event({"type": "message_stop"})


def error(status: int, message: str, code: str | None) -> Json:
    return {"type": "error", "error": {"type": code or "api_error", "message": message}}


def _event(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _blocks(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _content(reply: Reply) -> list[Json]:
    if reply.tool:
        return [{"type": "tool_use", "id": "toolu_sim", "name": reply.tool[0], "input": reply.tool[1]}]
    return [{"type": "text", "text": reply.text}] if reply.text else []


def _stop(reply: Reply) -> str:
    return "refusal" if reply.refusal else _FINISH[reply.finish]


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usage": {"input_tokens": read - cached, "cache_read_input_tokens": cached,
                      "cache_creation_input_tokens": 0, "output_tokens": written}}  # fmt: skip
