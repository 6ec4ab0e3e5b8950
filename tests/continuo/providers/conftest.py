"""A provider made of raw bytes: it answers with what a test puts into it, and tells what it was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from continuo.config.catalog import Catalog, Model
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.messages import Message, ModelRequest, ModelResponse
from continuo.parts import Reasoning, Text
from continuo.protection.masking import Masker
from continuo.providers.client import ModelClient

SHAPES = Path(__file__).parent / "shapes"
KEY = "sk-5ecret"
PROTOCOLS = ("openai", "anthropic", "google")
HELLO = ModelRequest(messages=(Message(role="user", content="Say hello in French."),))


@dataclass(frozen=True)
class Sent:
    path: str
    headers: dict[str, str]
    body: Any


class Wire:
    """One HTTP/1.1 server. `reply` is sent as it is to every request; None keeps the client waiting."""

    def __init__(self) -> None:
        self.reply: bytes | None = None
        self.sent: list[Sent] = []
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.url = ""

    def answers(self, body: str | bytes, status: int = 200, *, promised: int = 0, **headers: str) -> None:
        """`promised` is by how many bytes the declared length is longer than the body."""
        content = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} .", f"content-length: {len(content) + promised}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.reply = "\r\n".join([*lines, "", ""]).encode() + content

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.sent.append(Sent(head[0].split()[1], headers, body))
            self.asked.set()
            if self.reply is None:
                await reader.read()
                self.left.set()
            else:
                writer.write(self.reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    found = Wire()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()


@pytest.fixture
async def models(wire: Wire, tmp_path: Path) -> AsyncIterator[ModelClient]:
    """A client whose providers `openai`, `anthropic`, `google` and `custom` are all `wire`."""
    served = {"base_url": wire.url, "key_env": "A_KEY"}
    custom = {"protocol": "anthropic", **served, "key_header": "api-key", "headers": {"X-Team": "blue"}}
    providers = {**{name: {"protocol": name, **served} for name in PROTOCOLS}, "custom": custom}
    client = ModelClient(
        Catalog.model_validate({"providers": providers, "models": {}}), {"A_KEY": KEY}, tmp_path, Masker([KEY])
    )
    yield client
    await client.aclose()


def shape(protocol: str, name: str) -> bytes:
    return (SHAPES / protocol / name).read_bytes()


async def ask(
    models: ModelClient, provider: str, request: ModelRequest = HELLO, *, timeout: float = 5
) -> ModelResponse:
    model = Model(id="some-model", provider=provider, name="some-model")
    return await models.complete(model, request, timeout=timeout, idempotency_key="run/1")


async def streamed(models: ModelClient, provider: str) -> tuple[list[str], ModelResponse]:
    """The pieces of text and the whole answer of a stream, whose pieces are those of that answer."""
    model = Model(id="some-model", provider=provider, name="some-model")
    *pieces, last = [item async for item in models.stream(model, HELLO, timeout=5, idempotency_key="run/1")]
    assert isinstance(last, ModelResponse)
    deltas = [piece for piece in pieces if not isinstance(piece, ModelResponse)]
    assert told(deltas) == told(deltas_of(last.message))
    return [piece.text for piece in deltas if isinstance(piece, TextDelta)], last


def deltas_of(message: Message) -> list[Delta]:
    """The whole answer as its pieces."""
    parts: list[Delta] = [
        ReasoningDelta(part.text, part.signature, part.protocol, part.redacted)
        if isinstance(part, Reasoning)
        else TextDelta(message.text)
        for part in message.parts
        if isinstance(part, Reasoning | Text)
    ]
    return [*parts, *(ToolDelta(n, c.id, c.name, c.arguments, c.signature) for n, c in enumerate(message.tool_calls))]


def told(deltas: Sequence[Delta]) -> tuple[str, list[tuple[str | None, str]], list[Any]]:
    """What pieces say together: the text, the thoughts with their signatures, the calls."""
    text = "".join(piece.text for piece in deltas if isinstance(piece, TextDelta))
    thoughts: list[tuple[str | None, str]] = []
    for piece in deltas:
        if isinstance(piece, ReasoningDelta):
            begun = thoughts.pop()[1] if thoughts and thoughts[-1][0] is None and not piece.redacted else ""
            thoughts.append((piece.signature, begun + piece.text))
    tools = [piece for piece in deltas if isinstance(piece, ToolDelta)]
    numbers = sorted({piece.index for piece in tools})
    groups = [[piece for piece in tools if piece.index == number] for number in numbers]
    calls = [(of[0].id, of[0].name, of[0].signature, "".join(piece.arguments for piece in of)) for of in groups]
    return text, thoughts, calls
