"""langchain-openai, with both of OpenAI's APIs where the other side has both, and langchain-anthropic."""

import os
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from seen import KEY, URL, WRONG_KEY, error, tell


class City(BaseModel):
    """A city."""

    name: str
    people: int


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def openai(model: str, key: str = KEY, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=f"openai-{model}", base_url=f"{URL}/v1", api_key=key, max_retries=0, stream_usage=True, **options
    )


def responses(model: str, key: str = KEY) -> ChatOpenAI:
    return openai(model, key, use_responses_api=True)


def anthropic(model: str, key: str = KEY) -> ChatAnthropic:
    return ChatAnthropic(model=f"anthropic-{model}", base_url=URL, api_key=key, max_retries=0, max_tokens=1000)


def said(message: AIMessage) -> dict[str, Any]:
    calls = [{"name": call["name"], "args": call["args"]} for call in message.tool_calls]
    usage = message.usage_metadata
    counts = usage and {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")}
    return {"text": message.text, "calls": calls, "usage": counts}


def streamed(model: BaseChatModel) -> dict[str, Any]:
    whole: AIMessageChunk | None = None
    for chunk in model.stream("Where is my order?"):
        whole = chunk if whole is None else whole + chunk
    return said(whole)


def everything(chat: Any) -> dict[str, Any]:
    turns = [SystemMessage("Be short."), HumanMessage("Where is my order?")]
    calling = chat("tool").bind_tools([weather])
    asked = calling.invoke("How is the weather in Rome?")
    results = [ToolMessage("sunny", tool_call_id=call["id"]) for call in asked.tool_calls]
    return {
        "text": said(chat("text").invoke(turns)),
        "stream": streamed(chat("text")),
        "tool": said(asked),
        "tool stream": streamed(calling),
        "tool answered": said(calling.invoke([HumanMessage("How is the weather in Rome?"), asked, *results])),
        "structured": chat("json").with_structured_output(City, method="json_schema").invoke("A city?").model_dump(),
        "busy": error(lambda: chat("busy").invoke("Hello")),
        "wrong": error(lambda: chat("wrong").invoke("Hello")),
        "missing": error(lambda: chat("missing").invoke("Hello")),
        "key": error(lambda: chat("locked", key=WRONG_KEY).invoke("Hello")),
    }


apis = {"chat": openai, "messages": anthropic}
if os.environ.get("CLIENT_RESPONSES"):
    apis["responses"] = responses
tell(**{name: everything(chat) for name, chat in apis.items()})
