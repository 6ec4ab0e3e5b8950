"""The shapes of Google's Gemini."""

import json
from collections.abc import Iterator

from continuo.simulator.reply import (
    Json,
    Question,
    Reply,
    begun,
    check_signature,
    chosen,
    logarithm,
    medium,
    new_id,
    pieces,
    signature,
    text_of,
    turns_before,
)

_FINISH = {"stop": "STOP", "tool": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
UNCHECKED = "skip_thought_signature_validator"
"""What may stand for the signature of a call that another model made."""

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
    every = [part for _, parts in turns for part in parts]
    for part in every:
        if (signed := part.get("thoughtSignature")) not in (None, UNCHECKED):
            check_signature(part["functionCall"]["name"] if "functionCall" in part else part["text"], signed)
    texts = [(role, text_of([part for part in parts if not part.get("thought")])) for role, parts in turns]
    prompts = [text for role, text in texts if role == "user" and text]
    calls = [part["functionCall"] for part in every if "functionCall" in part]
    results = [part["functionResponse"] for part in every if "functionResponse" in part]
    inline = [part["inlineData"] for part in every if "inlineData" in part]
    system = text_of((body.get("systemInstruction") or {}).get("parts"))
    config = body.get("generationConfig") or {}
    tools = tuple(
        function["name"] for tool in body.get("tools") or () for function in tool.get("functionDeclarations", ())
    )
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {"mode": "AUTO"}
    choice = {"ANY": "required", "AUTO": "auto", "NONE": "none"}[calling["mode"]]
    [choice] = calling.get("allowedFunctionNames") or [choice]
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return Question(
        prompt=prompts[-1] if prompts else "",
        length=len(system) + sum(len(text) for _, text in texts) + sum(len(json.dumps(result)) for result in results),
        tools=tools,
        choice=chosen(choice, tools),
        answered_tool=bool(results),
        media=tuple(medium(data["mimeType"], data["data"]) for data in inline),
        schema=schema,
        json=config.get("responseMimeType") == "application/json",
        logprobs=bool(config.get("responseLogprobs")),
        top=config.get("logprobs") or 0,
        turn=turns_before(sum(role == "model" for role, _ in turns), (call.get("id") or "" for call in calls)),
        begun=begun(texts),
    )


def answer(model: str, reply: Reply) -> Json:
    return _response(model, new_id(""), reply, _parts(reply))


def stream(model: str, reply: Reply) -> Iterator[str]:
    id = new_id("")
    texts: list[Json] = [{"text": piece} for piece in pieces(reply.text)] if reply.text else []
    every: list[Json | None] = [*_thoughts(reply), *texts, *_calls(reply)]
    *parts, last = every if reply.text and not reply.tools else [*every, None]
    for part in filter(None, parts):
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0, **_logprobs(reply, [part])}
        yield _event({"candidates": [candidate], "modelVersion": model, "responseId": id})
    yield _event(_response(model, id, reply, [last] if last else []))


def error(status: int, message: str, code: str | None) -> Json:
    name = code or _ERRORS.get(status, "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": name}}


def _response(model: str, id: str, reply: Reply, parts: list[Json]) -> Json:
    finish = "SAFETY" if reply.refusal else _FINISH[reply.finish]
    candidate: Json = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
    if reply.logprobs is not None:
        candidate |= {"avgLogprobs": logarithm(reply.logprobs), **_logprobs(reply, parts)}
    return {"candidates": [] if reply.empty else [candidate], **_usage(reply), "modelVersion": model, "responseId": id}


def _logprobs(reply: Reply, parts: list[Json]) -> Json:
    if reply.logprobs is None:
        return {}
    texts = [part["text"] for part in parts if "text" in part and not part.get("thought")]
    tokens = [{"token": text, "logProbability": logarithm(reply.logprobs)} for text in texts]
    top = {"topCandidates": [{"candidates": [token]} for token in tokens]} if reply.top else {}
    return {"logprobsResult": {"chosenCandidates": tokens, **top}}


def _event(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


def _parts(reply: Reply) -> list[Json]:
    texts: list[Json] = [{"text": reply.text}] if reply.text else []
    return [*_thoughts(reply), *texts, *_calls(reply)]


def _calls(reply: Reply) -> list[Json]:
    calls: list[Json] = []
    for id, name, arguments in reply.tools:
        # The first of several calls alone is signed.
        signed = {"thoughtSignature": signature(name)} if reply.thought and not calls else {}
        calls.append({"functionCall": {"id": id, "name": name, "args": arguments}, **signed})
    return calls


def _thoughts(reply: Reply) -> list[Json]:
    signed = {"thoughtSignature": signature(reply.thought)}
    return [{"text": reply.thought, "thought": True, **signed}] if reply.thought else []


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usageMetadata": {"promptTokenCount": read, "candidatesTokenCount": written,
                              "cachedContentTokenCount": cached, "totalTokenCount": read + written}}  # fmt: skip
