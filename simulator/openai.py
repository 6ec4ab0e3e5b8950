"""The shapes of OpenAI's Chat Completions."""

import json
import math
from collections.abc import Iterator

from simulator.reply import Json, Question, Reply, pieces

ERROR_END = "data: [DONE]\n\n"


def question(body: Json) -> Question:
    messages = body["messages"]
    texts = [str(message.get("content") or "") for message in messages]
    asked = [text for message, text in zip(messages, texts, strict=True) if message["role"] == "user"]
    return Question(
        prompt=asked[-1] if asked else "",
        length=sum(map(len, texts)),
        tools=tuple(tool["function"]["name"] for tool in body.get("tools", ())),
        answered_tool=messages[-1]["role"] == "tool",
        schema=((body.get("response_format") or {}).get("json_schema") or {}).get("schema"),
        logprobs=bool(body.get("logprobs")),
    )


def answer(model: str, question: Question, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.refusal:
        message["refusal"] = "I cannot help with that (simulated)."
    if reply.tool:
        message["tool_calls"] = [_tool(reply)]
    choice: Json = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
    if question.logprobs and reply.confidence:
        tokens = [{"token": word, "logprob": math.log(reply.confidence)} for word in reply.text.split()]
        choice["logprobs"] = {"content": tokens}
    return {"id": "chatcmpl-sim", "object": "chat.completion", "created": 0, "model": model,
            "choices": [choice], **_usage(reply)}  # fmt: skip


def empty(body: Json) -> Json:
    return {**body, "choices": []}


def stream(model: str, reply: Reply) -> Iterator[str]:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": part} for part in pieces(reply.text)] if reply.text else []
    if reply.refusal:
        deltas.append({"refusal": "I cannot help with that (simulated)."})
    if reply.tool:
        tool = _tool(reply)
        text = tool["function"]["arguments"]
        deltas.append({"tool_calls": [{"index": 0, **tool, "function": {**tool["function"], "arguments": ""}}]})
        parts = [text[at : at + 5] for at in range(0, len(text), 5)]
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in parts]
    choices: list[Json] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": _finish(reply)})
    shell: Json = {"id": "chatcmpl-sim", "object": "chat.completion.chunk", "created": 0, "model": model}
    for choice in choices:
        yield f"data: {json.dumps({**shell, 'choices': [choice]})}\n\n"
    if reply.tokens:
        yield f"data: {json.dumps({**shell, 'choices': [], **_usage(reply)})}\n\n"
    yield ERROR_END


def error(status: int, message: str, code: str | None) -> Json:
    return {"error": {"message": message, "type": "server_error" if status >= 500 else "invalid_request_error",
                      "param": None, "code": code}}  # fmt: skip


def _tool(reply: Reply) -> Json:
    assert reply.tool is not None
    name, arguments = reply.tool
    return {"id": "call_sim", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.tool else reply.finish


def _usage(reply: Reply) -> Json:
    if reply.tokens is None:
        return {}
    read, written, cached = reply.tokens
    return {"usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written,
                      "prompt_tokens_details": {"cached_tokens": cached}}}  # fmt: skip
