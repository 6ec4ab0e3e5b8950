"""Examples as fine-tuning services read them: a line of JSON each, with the answer as its last turn."""

from itertools import groupby
from typing import Any, Literal

from continuo.messages import ModelRequest
from continuo.providers.openai import turns

TrainingForm = Literal["openai", "anthropic", "chat"]
"""`openai`: messages with calls of tools, and the tools. `anthropic`: as Amazon Bedrock takes it for Claude, the
instructions apart and turns that alternate. `chat`: messages with role and content alone."""


def line(example: ModelRequest, form: TrainingForm) -> dict[str, Any] | None:
    """The example, or None where the form has no place for it: for media none has, and for tools `openai` alone."""
    if example.media:
        return None
    if form == "openai":
        tools = [{"type": "function", "function": tool.model_dump()} for tool in example.tools]
        return {"messages": turns(example), **({"tools": tools} if tools else {})}
    if example.tools or any(message.tool_calls or message.role == "tool" for message in example.messages):
        return None
    if form == "chat":
        return {"messages": turns(example)}
    grouped = groupby(example.messages, key=lambda message: message.role)
    messages = [{"role": role, "content": "\n\n".join(one.text for one in some)} for role, some in grouped]
    if messages[0]["role"] != "user":
        return None
    return {**({"system": example.system} if example.system else {}), "messages": messages}
