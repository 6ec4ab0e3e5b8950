"""llm, and its plugin for Anthropic."""

import os
from typing import Any

import llm
from llm.default_plugins.openai_models import Chat, Responses
from llm_anthropic import ClaudeMessages
from seen import KEY, URL, WEATHER, WRONG_KEY, error, tell

CITY = {
    **WEATHER,
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
}


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def openai(kind: Any, model: str) -> llm.Model:
    return kind(f"openai-{model}", api_base=f"{URL}/v1", supports_schema=True, supports_tools=True)


def anthropic(model: str) -> llm.Model:
    return ClaudeMessages(f"anthropic-{model}", base_url=URL, use_structured_outputs=True)


def said(response: Any) -> dict[str, Any]:
    text, usage = response.text(), response.usage()
    return {"text": text, "usage": [usage.input, usage.output]}


def chained(model: llm.Model) -> dict[str, Any]:
    calls: list[Any] = []
    chain = model.chain(
        "How is the weather in Rome?",
        tools=[weather],
        key=KEY,
        after_call=lambda tool, call, result: calls.append([call.name, call.arguments, result.output]),
    )
    return {"text": chain.text(), "calls": calls}


def everything(model: Any) -> dict[str, Any]:
    def failing(name: str, key: str = KEY) -> dict[str, Any]:
        return error(lambda: model(name).prompt("Hello", key=key, stream=False).text())

    question = "Where is my order?"
    return {
        "text": said(model("text").prompt(question, system="Be short.", key=KEY, stream=False)),
        "stream": said(model("text").prompt(question, key=KEY)),
        "pieces": "".join(model("text").prompt(question, key=KEY)),
        "tool": chained(model("tool")),
        "structured": said(model("json").prompt("A city?", schema=CITY, key=KEY, stream=False)),
        "wrong": failing("wrong"),
        "missing": failing("missing"),
        "key": failing("locked", WRONG_KEY),
    }


apis = {"chat": lambda name: openai(Chat, name), "messages": anthropic}
if os.environ.get("CLIENT_RESPONSES"):
    apis["responses"] = lambda name: openai(Responses, name)
tell(**{name: everything(model) for name, model in apis.items()})
