"""Clients that do not read: what has been answered waits in the stores, and not in the gateway's memory."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from continuo.testing.processes import until
from tests.support.gateway import new_key, served_gateway
from tests.support.memory import resident
from tests.support.world import World

STREAMS = 15
SIZE = 2 * 10**6
"""Characters of each answer."""


async def ask(connection: socket.socket, port: int, secret: str, number: int) -> None:
    """Ask for a stream of which nothing is read."""
    body = {"model": "sim-mini", "stream": True, "messages": [{"role": "user", "content": f"story {number}"}]}
    content = json.dumps(body)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(connection, f"{head}content-length: {len(content)}\r\n\r\n{content}".encode())


async def text_of(connection: socket.socket) -> str:
    received = bytearray()
    while more := await asyncio.get_running_loop().sock_recv(connection, 2**20):
        received += more
    lines = [line for line in received.decode().splitlines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


@pytest.mark.chaos
async def test_answers_that_nobody_reads_yet_are_not_held_and_come_whole(world: World, tmp_path: Path) -> None:
    await world.pool()
    text = " ".join(f"{number:06}" * 100 for number in range(SIZE // 601))
    await world.simulator.behave("sim-mini", text=text)
    async with served_gateway(tmp_path / "gateway.log") as gateway, AsyncExitStack() as opened:
        secret, pid = await new_key(), gateway.child.pid
        before = resident(pid)
        connections = [opened.enter_context(socket.socket()) for _ in range(STREAMS)]
        for number, connection in enumerate(connections):
            await ask(connection, gateway.port, secret, number)

        async def all_answered() -> bool:
            rows = await database.read("SELECT COUNT(*) AS count FROM journal")
            return int(rows[0]["count"]) == STREAMS

        database = world.journal()
        await until(all_answered, timeout=240)
        now = [before]

        async def settled() -> bool:
            now.append(resident(pid))
            return now[-1] - now[-2] < 2**20

        # Their results reach the gateway a moment later.
        await until(settled, every=1)
        # Held in full it was three times all the answers; what is left are portions, and memory that is free.
        assert now[-1] - before < 2 * STREAMS * len(text)
        assert [await text_of(connection) for connection in connections] == [text] * STREAMS
        await database.aclose()
