"""What only somebody who means harm sends: the gateway refuses it, and answers the next one who asks."""

import asyncio
import json
import random
import re
import resource
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.support.gateway import GatewayProcess

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SEED, BODIES, IDLE = 20261126, 1_500, 1000
PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/messages/count_tokens"]
"""More that are asked with a body."""

GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "none", "messages": [{"role": "user", "content": "Hello"}]},
    "/v1/messages": {"model": "none", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]},
    "/v1/responses": {"model": "none", "input": [{"role": "user", "content": "Hello"}]},
    "/v1/messages/count_tokens": {"model": "none", "messages": [{"role": "user", "content": "Hello"}]},
}
"""What would be right but for its model, so that nothing runs of what is left right by chance."""

ODD: list[Any] = [
    None,
    True,
    -1,
    1e308,
    2**70,
    "",
    "\x00",
    "\ud7ff",
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"type": "x"},
    {"": {}},
]
FIELDS = ["model", "messages", "input", "tools", "tool_choice", "stream", "stream_options", "response_format",
          "n", "stop", "metadata", "user", "system", "thinking", "max_tokens", "temperature",
          "seed", "__proto__", "text", "reasoning"]  # fmt: skip
HEADERS = ["idempotency-key", "x-stainless-retry-count", "anthropic-version", "anthropic-beta", "content-encoding",
           "accept", "traceparent", "x-request-id", "expect", "range", "x-stainless-timeout"]  # fmt: skip


async def answered(gateway: GatewayProcess) -> None:
    """It serves whoever asks next."""
    async with gateway.http() as http:
        assert (await http.get("/v1/models")).status_code == 200


async def sent(gateway: GatewayProcess, data: bytes, patience: float = 30) -> bytes:
    """All that comes back until the gateway closes the connection, or has said nothing for so many seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    received = b""
    with suppress(ConnectionError, TimeoutError):
        writer.write(data)
        await writer.drain()
        while part := await asyncio.wait_for(reader.read(65536), patience):
            received += part
    writer.close()
    return received


def statuses(responses: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", responses)]


def mutated(chance: random.Random, value: Any) -> Any:
    """The value with something odd at a place of it."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice([*value, *FIELDS])
        return {**value, name: mutated(chance, value.get(name))}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [*value[:place], mutated(chance, value[place]), *value[place + 1 :]]
    return chance.choice(ODD)


def malformed(chance: random.Random, path: str) -> tuple[bytes, dict[str, str]]:
    """A body and headers, at least one of them wrong."""
    body, headers = json.dumps(mutated(chance, GOOD[path])).encode(), {"content-type": "application/json"}
    match chance.randrange(6):
        case 0:
            body = body[: chance.randrange(len(body))]
        case 1:
            place = chance.randrange(len(body))
            body = body[:place] + chance.randbytes(chance.randrange(1, 9)) + body[place:]
        case 2:
            types = ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain; charset=none", "/", ";;"]
            headers["content-type"] = chance.choice(types)
            body = b"--x\r\nContent-Disposition: form-data; name=" + chance.randbytes(9) + b"\r\n\r\n" + body
        case 3:
            headers[chance.choice(HEADERS)] = chance.choice(["", "x" * 300, "-1", "NaN", "\xe9", "٣", ",,;", "2" * 400])
    return body, headers


async def test_malformed_requests_are_mistakes_of_their_sender(gateway: GatewayProcess) -> None:
    chance = random.Random(SEED)
    seen: Counter[int] = Counter()
    wrong: list[tuple[str, bytes, dict[str, str], int, bytes]] = []

    async def ask(http: httpx.AsyncClient, path: str, body: bytes, headers: dict[str, str]) -> None:
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        response = await http.post(path, content=body, headers=encoded)
        seen[response.status_code] += 1
        # Tokens are counted of what happens to be right.
        right = response.status_code == 200 and path.endswith("count_tokens")
        error = not right and response.json().get("error")
        if not right and not (400 <= response.status_code < 500 and error and error["message"] and error["type"]):
            wrong.append((path, body, headers, response.status_code, response.content))

    async with gateway.http() as http:
        for _ in range(BODIES // 20):
            paths = chance.choices(PATHS, k=20)
            await asyncio.gather(*(ask(http, path, *malformed(chance, path)) for path in paths))
    assert wrong[:3] == []
    assert sum(seen.values()) == BODIES
    await answered(gateway)


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = {
    "both lengths": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "both lengths, chunked first": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + NEXT,
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + NEXT,
    "a list of lengths": HEAD + b"Content-Length: 0, 5\r\n\r\n" + NEXT,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + NEXT,
    "a length in hexadecimals": HEAD + b"Content-Length: 0x0\r\n\r\n" + NEXT,
    "a length beyond 64 bits": HEAD + b"Content-Length: 18446744073709551616\r\n\r\n" + NEXT,
    "a coding that is no coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + NEXT,
    "a folded header": HEAD + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + NEXT,
    "a space before the colon": HEAD + b"Content-Length : 0\r\n\r\n" + NEXT,
    "a name of nothing": HEAD + b": x\r\n\r\n" + NEXT,
    "a null in a value": HEAD + b"X: a\x00b\r\n\r\n" + NEXT,
    "a lone carriage return": HEAD + b"X: a\rContent-Length: 5\r\n\r\n" + NEXT,
    "a negative chunk": CHUNKED + b"-1\r\n\r\n0\r\n\r\n" + NEXT,
    "a chunk beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\n" + NEXT,
    "a chunk of no number": CHUNKED + b"0x0\r\n\r\n" + NEXT,
    "a chunk longer than it says": CHUNKED + b"1\r\nabc\r\n0\r\n\r\n" + NEXT,
    "another version": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n" + NEXT,
    "a method of nobody": b"GE\x00T /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + NEXT,
}


@pytest.mark.parametrize("case", SMUGGLED)
async def test_what_could_hide_a_second_request_is_refused_with_all_behind_it(
    gateway: GatewayProcess, case: str
) -> None:
    assert 200 not in statuses(await sent(gateway, SMUGGLED[case]))
    await answered(gateway)


async def test_chunks_may_have_extensions_and_trailers(gateway: GatewayProcess) -> None:
    body = b"2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n"
    authorized = HEAD + f"Authorization: Bearer {gateway.secret}\r\n".encode()
    response = await sent(gateway, authorized + b"Transfer-Encoding: chunked\r\n\r\n" + body + NEXT)
    assert statuses(response) == [400, 200]


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"A%d: %s\r\n" % (number, b"x" * 50) for number in range(5000)),
        b"A: " + b"x" * 500_000 + b"\r\n",
        b"Cookie: " + b"a=b;" * 100_000 + b"\r\n",
        b"A: \r\n" * 60_000,
    ],
    ids=["many headers", "a long one", "cookies", "empty ones"],
)
async def test_a_bomb_of_headers_is_not_answered(gateway: GatewayProcess, head: bytes) -> None:
    response = await sent(gateway, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head + b"Connection: close\r\n\r\n")
    assert 200 not in statuses(response)
    await answered(gateway)


async def test_a_long_path_is_not_found_or_not_read(gateway: GatewayProcess) -> None:
    for length in (8_000, 60_000, 500_000):
        path = b"/v1/models/" + b"%2F" * (length // 3)
        response = await sent(gateway, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all(400 <= status < 500 for status in statuses(response))
    await answered(gateway)


async def test_a_head_that_drips_is_cut_off(gateway: GatewayProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    ended = asyncio.create_task(reader.read())
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    while not ended.done():
        with suppress(ConnectionError):
            writer.write(b"A: b\r\n")
        await asyncio.wait({ended}, timeout=0.5)
    with suppress(ConnectionError):
        assert await ended == b""
    writer.close()


async def test_bodies_that_drip_keep_nobody_waiting(gateway: GatewayProcess) -> None:
    head = HEAD + f"Authorization: Bearer {gateway.secret}\r\nContent-Length: 1000000\r\n\r\n".encode()
    connections = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(200)]
    for _, writer in connections:
        writer.write(head)
    for _ in range(3):
        for _, writer in connections:
            writer.write(b"x")
        await answered(gateway)
    for _, writer in connections:
        writer.close()
    await answered(gateway)


async def test_a_thousand_idle_connections_keep_nobody_waiting(gateway: GatewayProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    connections = []
    try:
        for _ in range(IDLE):
            connections.append(await asyncio.open_connection("127.0.0.1", gateway.port))
        await answered(gateway)
    finally:
        for _, writer in connections:
            writer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_sixty_megabytes_are_refused_and_not_kept(gateway: GatewayProcess) -> None:
    async with gateway.http() as http:
        for path in PATHS:
            # The connection may be closed while it is written to.
            with suppress(httpx.TransportError):
                response = await http.post(path, content=b"x" * 60_000_000)
                assert response.status_code == 413
                assert response.json()["error"]["message"]
    await answered(gateway)
