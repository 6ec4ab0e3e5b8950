"""pydantic-ai: agents with a tool, a typed output and a stream."""

import os
from typing import Any

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from seen import KEY, URL, WRONG_KEY, error, tell


class City(BaseModel):
    name: str
    people: int


def provider(key: str) -> OpenAIProvider:
    return OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0))


def openai(model: str, key: str = KEY) -> Model:
    return OpenAIChatModel(f"openai-{model}", provider=provider(key))


def responses(model: str, key: str = KEY) -> Model:
    return OpenAIResponsesModel(f"openai-{model}", provider=provider(key))


def anthropic(model: str, key: str = KEY) -> Model:
    client = AsyncAnthropic(base_url=URL, api_key=key, max_retries=0)
    return AnthropicModel(f"anthropic-{model}", provider=AnthropicProvider(anthropic_client=client))


def usage(result: Any) -> dict[str, int]:
    return {name: getattr(result.usage, name) for name in ("requests", "input_tokens", "output_tokens")}


def text(model: Model) -> dict[str, Any]:
    result = Agent(model, instructions="Be short.").run_sync("Where is my order?")
    return {"text": result.output, "usage": usage(result)}


def streamed(model: Model) -> dict[str, Any]:
    result = Agent(model).run_stream_sync("Where is my order?")
    return {"text": list(result.stream_text(delta=False, debounce_by=None))[-1], "usage": usage(result)}


def tool(model: Model) -> dict[str, Any]:
    agent, calls = Agent(model), []

    @agent.tool_plain
    def weather(city: str) -> str:
        """The weather of a city."""
        calls.append(city)
        return "sunny"

    result = agent.run_sync("How is the weather in Rome?")
    return {"text": result.output, "calls": calls, "usage": usage(result)}


def structured(model: Model, output: Any = City) -> dict[str, Any]:
    return Agent(model, output_type=output).run_sync("A city?").output.model_dump()


def failing(model: Model) -> dict[str, Any]:
    return error(lambda: Agent(model).run_sync("Hello"))


def everything(chat: Any) -> dict[str, Any]:
    return {
        "text": text(chat("text")),
        "stream": streamed(chat("text")),
        "tool": tool(chat("tool")),
        "structured": structured(chat("json")),
        # Of this client, Anthropic's models that it does not know have no schemas.
        "native": None if chat is anthropic else structured(chat("json"), NativeOutput(City)),
        "busy": failing(chat("busy")),
        "wrong": failing(chat("wrong")),
        "missing": failing(chat("missing")),
        "key": failing(chat("locked", WRONG_KEY)),
    }


apis = {"chat": openai, "messages": anthropic}
if os.environ.get("CLIENT_RESPONSES"):
    apis["responses"] = responses
tell(**{name: everything(chat) for name, chat in apis.items()})
