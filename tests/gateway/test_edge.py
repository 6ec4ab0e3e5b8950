"""What nobody should send, over plain sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuo.testing.processes import until
from tests.support.gateway import GatewayProcess

PATHS = [
    "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/jobs",
]  # fmt: skip
ADDRESSES = [
    "/v1/chat/completions",
    "/v1/chat/completions/{}",
    "/v1/chat/completions/{}/messages",
    "/v1/responses/{}",
    "/v1/responses/{}/input_items",
    "/v1/responses/{}/cancel",
    "/v1/conversations",
    "/v1/conversations/{}",
    "/v1/conversations/{}/items",
    "/v1/conversations/{}/items/{}",
]


@pytest.fixture
async def http(gateway: GatewayProcess) -> AsyncIterator[httpx.AsyncClient]:
    """One client for all the examples of a property."""
    async with gateway.http() as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
async def test_no_body_is_a_mistake_of_ours(gateway: GatewayProcess, path: str) -> None:
    deep = b"[" * 100_000
    huge = json.dumps({"model": "sim-mini", "messages": 1}).encode()[:-1] + b', "seed": ' + b"9" * 5000 + b"}"
    bodies = [b"", b"null", b"[]", b"{", b"\xff\xfe", b'"\\ud800"', deep, huge, b'{"model": {}}', b'{"a":1e999}']
    async with gateway.http() as http:
        statuses = [(await http.post(path, content=body)).status_code for body in bodies]
    assert statuses == [400] * len(bodies)


async def test_a_body_that_grows_too_large_is_not_read_to_its_end(gateway: GatewayProcess) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 200:
            sent += 1
            yield b"x" * 1024 * 1024

    async with gateway.http() as http:
        # The connection may be closed while it is written to.
        with suppress(httpx.TransportError):
            assert (await http.post(PATHS[0], content=endless())).status_code == 413
    assert sent < 100


async def test_a_body_whose_length_is_too_large_is_not_waited_for(gateway: GatewayProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    lines = [
        "POST /v1/messages HTTP/1.1",
        "Host: x",
        f"x-api-key: {gateway.secret}",
        "Content-Length: 60000000",
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode())
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/audio/transcriptions"])
async def test_who_leaves_in_the_middle_of_a_body_is_no_mistake_of_ours(
    gateway: GatewayProcess, folder: Path, path: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    kind = "multipart/form-data; boundary=x"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nx-api-key: {gateway.secret}\r\nContent-Type: {kind}\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n--x\r\n".encode())
    await writer.drain()
    writer.close()
    log = folder / "gateway.log"

    async def left() -> bool:
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return any((line.get("path"), line.get("status")) == (path, 499) for line in lines)

    await until(left)
    assert not [line for line in log.read_text().splitlines() if "mistake of ours" in line and path in line]


async def test_what_is_not_there_is_told_in_each_dialect(gateway: GatewayProcess) -> None:
    async with gateway.http() as http:
        assert (await http.get("/v1/fine_tuning/jobs")).json()["error"]["code"] == "not_served"
        assert (await http.put(PATHS[0])).status_code == 405
        model = await http.get("/v1/models/no%2Fsuch")
        assert (model.status_code, model.json()["error"]["param"]) == (404, "model")
        anthropic = await http.get("/v1/models/no-such", headers={"anthropic-version": "2023-06-01"})
        assert anthropic.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA\x00b: c\r\n\r\n",
    ],
    ids=["both lengths", "two lengths", "a signed length", "an unknown coding", "a null in a name"],
)
async def test_a_request_that_two_servers_could_read_differently_is_refused(
    gateway: GatewayProcess, head: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(head)
    status = (await reader.readline()).split()
    writer.close()
    assert status[1:2] in ([b"400"], [])


async def test_a_head_without_an_end_does_not_keep_its_connection(gateway: GatewayProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n" + b"A: " + b"x" * 70_000)
    assert await reader.read() == b""
    writer.close()


async def test_a_key_is_asked_for_before_a_body_is_read(gateway: GatewayProcess) -> None:
    async with httpx.AsyncClient(base_url=gateway.url) as http:
        for path in PATHS:
            assert (await http.post(path, content=b"{")).status_code == 401


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["model", "messages", "role", "content", "input"]), inner)
        ),
    )
)
async def test_no_json_is_a_mistake_of_ours(http: httpx.AsyncClient, body: object) -> None:
    for path in PATHS:
        assert (await http.post(path, json=body)).status_code < 500


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    address=st.sampled_from(ADDRESSES),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    id=st.sampled_from(["conv", "%00", "%F0%9F%98%80", "%27", "x" * 2000]),
    query=st.dictionaries(
        st.sampled_from(["limit", "order", "after", "model", "stream", "starting_after", "metadata[a]"]),
        st.sampled_from(["", "0", "-1", "9" * 30, "true", "asc", "\x00", "\u0664"]),
        max_size=3,
    ),
    body=st.sampled_from([b"", b"{}", b"null", b'{"metadata": {"a": 1}}', b'{"items": [{"type": "x"}]}', b"{"]),
)
async def test_no_address_of_what_is_kept_is_a_mistake_of_ours(
    http: httpx.AsyncClient, address: str, method: str, id: str, query: dict[str, str], body: bytes
) -> None:
    path = address.replace("{}", id)
    assert (await http.request(method, path, params=query, content=body)).status_code < 500
