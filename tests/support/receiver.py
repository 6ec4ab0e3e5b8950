"""A receiver of webhooks: a socket that answers as it is told, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import openai

from continuo.config.settings import environment
from continuo.protection.webhooks import keys_of, secret_of
from continuo.testing.processes import until


@dataclass(frozen=True)
class Sent:
    path: str
    headers: dict[str, str]
    body: str

    def unwrapped(self, tenant: str, key: str | None = None) -> Any:
        """The event, as OpenAI's SDK takes it with the tenant's secret, made of that key or the environment's."""
        secret = secret_of(key or keys_of(environment())[0], tenant)
        return openai.OpenAI(api_key="none").webhooks.unwrap(self.body, self.headers, secret=secret)


@dataclass
class Receiver:
    """`answers` are given one after the other, each as a status line and headers; at last 204, or 500 to a body that is
    `refused`."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    refused: Callable[[str], bool] = lambda body: False

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def has(self, count: int) -> list[Sent]:
        """What it was sent, once those are so many."""

        async def arrived() -> bool:
            return len(self.sent) >= count

        await until(arrived)
        return self.sent

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        self.sent.append(Sent(head[0].split()[1], headers, body))
        otherwise = "500 Refused" if self.refused(body) else "204 No Content"
        answer = self.answers.pop(0) if self.answers else otherwise
        writer.write(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def receiving(*answers: str) -> AsyncIterator[Receiver]:
    receiver = Receiver(answers=[*answers])
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
