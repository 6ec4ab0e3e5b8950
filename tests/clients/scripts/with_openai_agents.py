"""openai-agents: agents with a tool, a typed output and a stream."""

import asyncio
import os
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel
from seen import KEY, URL, WRONG_KEY, error, tell

set_tracing_disabled(True)


class City(BaseModel):
    name: str
    people: int


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def client(key: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0)


def openai(model: str, key: str = KEY) -> Any:
    return OpenAIChatCompletionsModel(f"openai-{model}", client(key))


def responses(model: str, key: str = KEY) -> Any:
    return OpenAIResponsesModel(f"openai-{model}", client(key))


def agent(model: Any, **options: Any) -> Agent:
    settings = ModelSettings(include_usage=True, store=None)
    return Agent(name="helper", instructions="Be short.", model=model, model_settings=settings, **options)


def said(result: Any) -> dict[str, Any]:
    used = result.context_wrapper.usage
    output = result.final_output
    return {
        "output": output.model_dump() if isinstance(output, BaseModel) else output,
        "items": [item.type for item in result.new_items],
        "usage": [used.requests, used.input_tokens, used.output_tokens],
    }


def run(model: Any, **options: Any) -> dict[str, Any]:
    return said(Runner.run_sync(agent(model, **options), "How is the weather in Rome?"))


def streamed(model: Any) -> dict[str, Any]:
    async def events() -> dict[str, Any]:
        result, text = Runner.run_streamed(agent(model), "How is the weather in Rome?"), ""
        async for event in result.stream_events():
            if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
                text += event.data.delta
        return {**said(result), "deltas": text}

    return asyncio.run(events())


def everything(chat: Any) -> dict[str, Any]:
    return {
        "text": run(chat("text")),
        "stream": streamed(chat("text")),
        "tool": run(chat("tool"), tools=[weather]),
        "structured": run(chat("json"), output_type=City),
        "busy": error(lambda: run(chat("busy"))),
        "wrong": error(lambda: run(chat("wrong"))),
        "missing": error(lambda: run(chat("missing"))),
        "key": error(lambda: run(chat("locked", WRONG_KEY))),
    }


apis = {"chat": openai}
if os.environ.get("CLIENT_RESPONSES"):
    apis["responses"] = responses
tell(**{name: everything(chat) for name, chat in apis.items()})
