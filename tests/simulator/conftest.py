"""Requests as the three protocols have them, written by hand: this is what a real client sends."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from continuo.testing.processes import Control

Json = dict[str, Any]
PROTOCOLS = ("openai", "anthropic", "google")
PROMPT = "Where is my order?"
SCHEMA = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)


def path(protocol: str, model: str = "some-model", *, stream: bool = False) -> str:
    if protocol == "google":
        return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
    return {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}[protocol]


def body(protocol: str, model: str = "some-model", prompt: str = PROMPT, *, stream: bool = False) -> Json:
    if protocol == "google":
        return {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
    found: Json = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    if stream:
        found |= {"stream": True}
    return found | ({"max_tokens": 1000} if protocol == "anthropic" else {})


def text(protocol: str, answer: Json) -> str:
    """The text of a whole answer; fails where the answer is not of the protocol's shape."""
    match protocol:
        case "openai":
            found = answer["choices"][0]["message"]["content"]
        case "anthropic":
            found = answer["content"][0]["text"]
        case _:
            found = answer["candidates"][0]["content"]["parts"][0]["text"]
    assert isinstance(found, str)
    return found


def events(response: httpx.Response) -> list[Json]:
    """What a stream's `data:` lines hold; OpenAI's last line is no JSON and left out."""
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


class Asking:
    """A client of the simulated provider that knows no more than HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(
        self, protocol: str, model: str = "some-model", prompt: str = PROMPT, *, stream: bool = False, **more: Any
    ) -> httpx.Response:
        """`more` are further fields of the body."""
        sent = body(protocol, model, prompt, stream=stream) | more
        return await self.http.post(path(protocol, model, stream=stream), json=sent)

    async def answer(self, protocol: str, model: str = "some-model", prompt: str = PROMPT, **more: Any) -> Json:
        response = await self.ask(protocol, model, prompt, **more)
        found: Json = response.raise_for_status().json()
        return found


@pytest.fixture(scope="session")
async def http(simulator_process: Control) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator_process.url, timeout=10) as found:
        yield found


@pytest.fixture
def client(http: httpx.AsyncClient, simulator: Control) -> Asking:
    """Asks a simulated provider that has no call and no script of an earlier test."""
    return Asking(http)
