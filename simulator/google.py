"""The shapes of Google's Gemini."""

import json
from collections.abc import Iterator

from simulator.reply import Json, Question, Reply, pieces


def question(body: Json) -> Question:
    turns = [(turn.get("role", "user"), turn["parts"]) for turn in body["contents"]]
    texts = [(role, "".join(part.get("text", "") for part in parts)) for role, parts in turns]
    asked = [text for role, text in texts if role == "user" and text]
    config = body.get("generationConfig", {})
    return Question(
        prompt=asked[-1] if asked else "",
        length=sum(len(text) for _, text in texts) + len(json.dumps(body.get("systemInstruction", ""))),
        tools=tuple(f["name"] for tool in body.get("tools", ()) for f in tool["functionDeclarations"]),
        answered_tool=any("functionResponse" in part for part in turns[-1][1]),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
    )


def answer(model: str, question: Question, reply: Reply) -> Json:
    finish = "SAFETY" if reply.refusal else "MAX_TOKENS" if reply.finish == "length" else "STOP"
    return {"candidates": [{"content": {"role": "model", "parts": _parts(reply)}, "finishReason": finish, "index": 0}],
            "modelVersion": model, **_usage(reply)}  # fmt: skip


def empty(body: Json) -> Json:
    return {**body, "candidates": []}


def stream(model: str, reply: Reply) -> Iterator[str]:
    whole = answer(model, Question("", 0, (), False, None), reply)
    parts = [{"text": piece} for piece in pieces(reply.text)] if reply.text else _parts(reply)
    for number, part in enumerate(parts or [{"text": ""}], 1):
        candidate = {**whole["candidates"][0], "content": {"role": "model", "parts": [part]}}
        event = {**whole, "candidates": [candidate]}
        if number < len(parts):
            event = {"candidates": [{"content": candidate["content"], "index": 0}], "modelVersion": model}
        yield f"data: {json.dumps(event)}\n\n"


def error(status: int, message: str, code: str | None) -> Json:
    return {"error": {"code": status, "message": message, "status": code or "UNAVAILABLE"}}


def _parts(reply: Reply) -> list[Json]:
    if reply.tool:
        return [{"functionCall": {"name": reply.tool[0], "args": reply.tool[1]}}]
    return [{"text": reply.text}] if reply.text else []


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usageMetadata": {"promptTokenCount": read, "candidatesTokenCount": written,
                              "cachedContentTokenCount": cached, "totalTokenCount": read + written}}  # fmt: skip
