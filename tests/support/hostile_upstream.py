"""`python -m tests.support.hostile_upstream --seed N`: a provider that lies, drips, bursts and loses answers.

OpenAI's protocol is at `/v1/chat/completions`, Anthropic's at `/v1/messages`, a plain service anywhere else; the
address is the first line printed. What becomes of a request follows from the seed, its body, and how often it was
asked before. `GET /_sim/calls` lists all that were asked, oldest first.
"""

import asyncio
import gzip
import json
import random
import time
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from cyclopts import App

Json = dict[str, Any]


@dataclass
class Call:
    """One request as it was seen. `ends`: whoever understands what it is met with does not ask again.

    `answered`: a good answer went out whole. `free`: an error status, for which no provider bills.
    """

    model: str
    idempotency_key: str
    kind: str
    ends: bool
    free: bool
    answered: bool = False
    time: float = field(default_factory=time.time)


@dataclass
class Request:
    """`protocol` is openai, anthropic or service; `secret` is the key that it came with."""

    protocol: str
    key: str
    secret: str
    body: Json
    chance: random.Random

    def answer(self, text: Any, usage: tuple[Any, Any] | None = (20, 10), cached: int = 0) -> Json:
        """A good answer, if these are good values."""
        read, written = usage or (0, 0)
        if self.protocol == "openai":
            counts = {"prompt_tokens": read, "completion_tokens": written}
            found: Json = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
            return found | ({"usage": {**counts, "prompt_tokens_details": {"cached_tokens": cached}}} if usage else {})
        if self.protocol == "anthropic":
            found = {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
            # This protocol counts what was cached apart: it cannot be more than all, but absurd by itself.
            counts = {"input_tokens": read, "output_tokens": written, "cache_read_input_tokens": -cached}
            return found | ({"usage": counts} if usage else {})
        return {"done": text}

    def text(self) -> str:
        return self.chance.choice(["yes", "no", "yes\n\nCONFIDENCE: 0.9", "An answer of some words."])

    def echo(self) -> str:
        """The secret, in one of the ways in which it comes back."""
        line = f"Authorization: Bearer {self.secret}"
        return self.chance.choice([
            line,
            line[:-4],
            line[: -len(self.secret) // 3],
            json.dumps(line),
            json.dumps(json.dumps(line)),
            quote(line),
            quote(line, safe=""),
            *(b64encode(b"x" * before + self.secret.encode()).decode() for before in range(3)),
        ])  # fmt: skip


Pieces = AsyncIterator[bytes]
"""Of a response; the connection is kept only when all of them are out, and dropped when `Cut` is raised."""


class Cut(Exception):
    pass


class Kind(NamedTuple):
    """A way to meet a request; `free`, `ends` and `answers` as in `Call`."""

    serve: Callable[[Request], Pieces]
    weight: int
    ends: bool = True
    answers: bool = False
    free: bool = False
    service: bool = True


def response(body: bytes | Json, status: int = 200, **headers: object) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} .", f"content-length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def plain(request: Request) -> Pieces:
    yield response(request.answer(request.text()))


async def slow(request: Request) -> Pieces:
    whole = response(request.answer(request.text()))
    for at in range(0, len(whole), 40):
        yield whole[at : at + 40]
        await asyncio.sleep(0.05)


async def packed(request: Request) -> Pieces:
    yield response(gzip.compress(json.dumps(request.answer(request.text())).encode()), content_encoding="gzip")


async def half_a_pair(request: Request) -> Pieces:
    yield response(request.answer("half \ud800 a pair"))


async def uncounted(request: Request) -> Pieces:
    yield response(request.answer(request.text(), None))


async def absurd(request: Request) -> Pieces:
    usage, cached = request.chance.choice([((10**18, 1), 0), ((-5, 1), 0), ((5, -1), 0), ((5, 10**30), 0), ((5, 1), 9)])
    body = request.answer(request.text(), usage, cached)
    if request.protocol == "openai":
        body["choices"][0]["logprobs"] = {"content": [{"logprob": request.chance.choice([1e308, -1e308, 0])}]}
    yield response(body)


async def telling(request: Request) -> Pieces:
    yield response(request.answer(f"your key: {request.echo()}"))


async def refusing(request: Request) -> Pieces:
    body = request.answer(request.echo())
    if request.protocol == "openai":
        body["choices"][0]["message"] = {"content": None, "refusal": request.echo()}
    yield response(body | {"stop_reason": "refusal"})


async def denied(request: Request) -> Pieces:
    told: Json = {"error": {"message": f"bad key {request.echo()} \ud800", "type": "invalid_request_error"}}
    body = request.chance.choice([json.dumps(told).encode(), request.echo().encode()])
    yield response(body, request.chance.choice([400, 401, 403, 404, 422]))


async def parked(request: Request) -> Pieces:
    wait = request.chance.choice(["86400", "1" + "0" * 15, "9" * 300, "Fri, 31 Dec 2319 23:59:59 GMT"])
    yield response(b"later", request.chance.choice([429, 503]), retry_after=wait)


BOMB = gzip.compress(b" " * 2**28)


async def bomb(request: Request) -> Pieces:
    yield response(BOMB, content_encoding="gzip")


async def bomb_as_error(request: Request) -> Pieces:
    yield response(BOMB, 500, content_encoding="gzip")


async def endless(request: Request) -> Pieces:
    yield b"HTTP/1.1 200 .\r\ntransfer-encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b" " * 2**16 + b"\r\n"


async def failing(request: Request) -> Pieces:
    headers: Json = request.chance.choice([{}, {"retry_after_ms": 50}, {"retry_after": -5}, {"retry_after": "NaN"}])
    yield response({"error": request.echo()}, request.chance.choice([408, 429, 500, 502, 503, 529]), **headers)


async def poisoned(request: Request) -> Pieces:
    loud = request.answer("yes") | {"usage": {"prompt_tokens": request.secret, "input_tokens": request.secret}}
    bodies = [
        b'{"choices": NaN, "content": NaN}',
        b'{"usage": Infinity}',
        b"[" * 100_000,
        b"\xff\xfe",
        f"<html>{request.echo()}</html>".encode(),
        json.dumps(request.answer([request.secret])).encode(),
        json.dumps(loud).encode(),
    ]
    yield response(request.chance.choice(bodies))


async def lost(request: Request) -> Pieces:
    """The connection ends after the request was counted, and before its answer is out."""
    whole = response(request.answer(request.text()))
    yield request.chance.choice([b"", whole[:20], whole[:-10], f"HTTP/1.1 200 .\r\n{request.secret}\r\n\r\n".encode()])
    raise Cut


async def dripping(request: Request) -> Pieces:
    yield b"HTTP/1.1 200 .\r\ncontent-length: 100000\r\n\r\n"
    while True:
        yield b" "
        await asyncio.sleep(0.05)


async def silent(request: Request) -> Pieces:
    await asyncio.sleep(60)
    raise Cut
    yield b""


KINDS = {
    kind.serve.__name__: kind
    for kind in (
        Kind(plain, 16, answers=True),
        Kind(slow, 4, answers=True),
        Kind(packed, 3, answers=True),
        Kind(half_a_pair, 3, answers=True),
        Kind(uncounted, 2, answers=True),
        Kind(absurd, 6, answers=True),
        Kind(telling, 6, answers=True),
        Kind(refusing, 3, service=False),
        Kind(denied, 4, free=True),
        Kind(parked, 2, free=True),
        Kind(bomb, 2),
        Kind(bomb_as_error, 2, free=True),
        # On a slow machine its time is over before its size is, and then it may be asked again.
        Kind(endless, 2, ends=False),
        Kind(failing, 6, ends=False, free=True),
        Kind(poisoned, 5, ends=False, service=False),
        Kind(lost, 6, ends=False),
        Kind(dripping, 2, ends=False),
        Kind(silent, 2, ends=False),
    )
}


class Upstream:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self.calls: list[Call] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The requests of one connection, one after the other."""
        try:
            while True:
                line, headers, body = await _received(reader)
                path = line.split()[1]
                if path == "/_sim/calls":
                    pieces = _control([asdict(call) for call in self.calls])
                    call = None
                else:
                    call, pieces = self._met(path, headers, body)
                async for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                if call is not None:
                    call.answered = KINDS[call.kind].answers
        except (Cut, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            # At once, with what is not out yet.
            writer.transport.abort()

    def _met(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[Call, Pieces]:
        protocol = {"/v1/chat/completions": "openai", "/v1/messages": "anthropic"}.get(path, "service")
        key, body = headers["idempotency-key"], json.loads(raw)
        secret = headers.get("x-api-key") or headers["authorization"].removeprefix("Bearer ")
        chance = random.Random(f"{self._seed} {self._asked[key]} {raw!r}")
        self._asked[key] += 1
        kinds = {name: kind for name, kind in KINDS.items() if kind.service or protocol != "service"}
        [name] = chance.choices(list(kinds), [kind.weight for kind in kinds.values()])
        call = Call(body.get("model", path), key, name, KINDS[name].ends, KINDS[name].free)
        self.calls.append(call)
        return call, KINDS[name].serve(Request(protocol, key, secret, body, chance))


async def _control(calls: list[Json]) -> Pieces:
    yield response({"calls": calls})


async def _received(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return line, headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def serve(port: int, seed: int) -> None:
    server = await asyncio.start_server(Upstream(seed).serve, "127.0.0.1", port, limit=2**20)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


app = App(name="hostile upstream")


@app.default
def main(*, port: int = 0, seed: int = 0) -> None:
    asyncio.run(serve(port, seed))


if __name__ == "__main__":
    app()
