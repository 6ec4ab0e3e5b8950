"""The shapes of Google's Gemini."""

import json
from collections.abc import Iterator

from continuo.simulator.reply import Json, Question, Reply, logarithm, new_id, pieces, text_of

_FINISH = {"stop": "STOP", "tool": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_ERRORS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}


def question(body: Json) -> Question:
    turns = [(turn.get("role", "user"), turn["parts"]) for turn in body["contents"]]
    texts = [(role, text_of(parts)) for role, parts in turns]
    asked = [text for role, text in texts if role == "user" and text]
    results = [part["functionResponse"] for _, parts in turns for part in parts if "functionResponse" in part]
    system = text_of((body.get("systemInstruction") or {}).get("parts"))
    config = body.get("generationConfig") or {}
    return Question(
        prompt=asked[-1] if asked else "",
        length=len(system) + sum(len(text) for _, text in texts) + sum(len(json.dumps(result)) for result in results),
        tools=tuple(
            function["name"] for tool in body.get("tools") or () for function in tool.get("functionDeclarations", ())
        ),
        answered_tool=bool(results),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        logprobs=bool(config.get("responseLogprobs")),
    )


def answer(model: str, reply: Reply) -> Json:
    return _response(model, new_id(""), reply, _parts(reply))


def stream(model: str, reply: Reply) -> Iterator[str]:
    id = new_id("")
    *parts, last = [{"text": piece} for piece in pieces(reply.text)] if reply.text else [*_parts(reply), None]
    for part in parts:
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
        yield _event({"candidates": [candidate], "modelVersion": model, "responseId": id})
    yield _event(_response(model, id, reply, [last] if last else []))


def error(status: int, message: str, code: str | None) -> Json:
    name = code or _ERRORS.get(status, "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": name}}


def _response(model: str, id: str, reply: Reply, parts: list[Json]) -> Json:
    finish = "SAFETY" if reply.refusal else _FINISH[reply.finish]
    candidate: Json = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
    if reply.logprobs is not None:
        candidate["avgLogprobs"] = logarithm(reply.logprobs)
    return {"candidates": [] if reply.empty else [candidate], **_usage(reply), "modelVersion": model, "responseId": id}


def _event(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


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
