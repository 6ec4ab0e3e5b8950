"""A real HAProxy with deploy/haproxy.cfg: only its addresses are others, and the servers behind it are simple ones."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from benchmarks.cluster.balancer import configuration
from continuo.observing.exposition import free_address
from continuo.starters.commands.gateway import DRAIN, KEEP_ALIVE
from continuo.starters.gateway.app import ROUTES
from continuo.starters.gateway.health import PATIENCE
from continuo.testing.processes import until
from continuo.workers.local.processes import Child
from tests.deploying.files import DEPLOY, SERVICES, arguments, commands, seconds

FILE = DEPLOY / "haproxy.cfg"
TEXT = FILE.read_text(encoding="utf-8")
installed = pytest.mark.skipif(shutil.which("haproxy") is None, reason="there is no haproxy: apt-get install haproxy")


class Behind:
    """A server in a gateway's place: its stream says `first`, and `second` once it is let."""

    def __init__(self, port: int) -> None:
        self.port, self.ready, self.served = port, True, 0
        self.go_on = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    def stop(self) -> None:
        assert self._server
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # HAProxy closes what it has looked at as soon as it knows.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            if path == b"/readyz":
                status = 200 if self.ready else 503
                writer.write(b"HTTP/1.1 %d -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
            else:
                self.served += 1
                writer.write(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nfirst\r\n"
                )
                await writer.drain()
                if path == b"/stream":
                    await self.go_on.wait()
                writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
async def two() -> AsyncIterator[list[Behind]]:
    servers = [Behind(int(free_address().rpartition(":")[2])) for _ in range(2)]
    for server in servers:
        await server.start()
    yield servers
    for server in servers:
        server.go_on.set()
        server.stop()


@pytest.fixture
async def balancer(two: list[Behind], tmp_path: Path) -> AsyncIterator[tuple[Child, httpx.AsyncClient]]:
    clients, own = free_address(), free_address()
    text = configuration(clients, own, [f"127.0.0.1:{server.port}" for server in two])
    path = tmp_path / "haproxy.cfg"
    path.write_text(text.replace("inter 2s", "inter 50ms"), encoding="utf-8")
    async with httpx.AsyncClient(base_url=f"http://{clients}") as http:

        async def well() -> bool:
            try:
                return (await http.get(f"http://{own}/healthz")).status_code == 200
            except httpx.ConnectError:
                return False

        child = Child("haproxy", ["haproxy", "-f", str(path)], tmp_path / "haproxy.log", well, os.environ)
        await child.start()
        yield child, http
        await child.stop()


async def served(http: httpx.AsyncClient, server: Behind) -> bool:
    """Whether that server got the next request."""
    before = server.served
    assert (await http.get("/")).text == "firstsecond"
    return server.served > before


@installed
def test_haproxy_finds_no_mistake_in_it() -> None:
    ended = subprocess.run(("haproxy", "-c", "-f", FILE), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    assert "warning" not in ended.stderr.lower()


@installed
async def test_a_stream_is_not_held_up_and_outlasts_the_stop_of_the_balancer(
    two: list[Behind], balancer: tuple[Child, httpx.AsyncClient]
) -> None:
    child, http = balancer
    async with http.stream("GET", "/stream") as response:
        pieces = response.aiter_text()
        assert await anext(pieces) == "first"
        assert child.process
        child.process.send_signal(getattr(signal, SERVICES["balancer"]["stop_signal"]))
        for server in two:
            server.go_on.set()
        assert await anext(pieces) == "second"
    assert await child.process.wait() == 0


@installed
async def test_no_request_fails_when_a_gateway_goes(
    two: list[Behind], balancer: tuple[Child, httpx.AsyncClient]
) -> None:
    _, http = balancer
    one, other = two
    one.stop()
    # Also before its health has been looked at again.
    for _ in range(10):
        assert await served(http, other)
    await one.start()
    await until(lambda: served(http, one))


@installed
async def test_a_gateway_that_is_not_ready_gets_no_request(
    two: list[Behind], balancer: tuple[Child, httpx.AsyncClient]
) -> None:
    _, http = balancer
    one, other = two
    one.ready = False

    async def left_alone() -> bool:
        return all([await served(http, other) for _ in range(4)])

    await until(left_alone)
    one.ready = True
    await until(lambda: served(http, one))


def test_it_looks_where_the_gateways_listen_and_waits_longer_than_they_do() -> None:
    values = dict(re.findall(r"^ +timeout (\S+) (\d+)[sm]$", TEXT, re.MULTILINE))
    [path] = re.findall(r"option httpchk GET (\S+)", TEXT)
    assert path in {route.path for route in ROUTES}
    assert int(values["check"]) > PATIENCE
    assert int(values["http-keep-alive"]) < KEEP_ALIVE
    [name, port] = re.findall(r"server-template gateway \S+ (\w+):(\d+)", TEXT)[0]
    assert arguments(next(commands(SERVICES[name]["command"])))["port"] == int(port)
    [most] = re.findall(r"hard-stop-after (\d+s)", TEXT)
    assert DRAIN < seconds(most) < seconds(SERVICES["balancer"]["stop_grace_period"])
    assert SERVICES["balancer"]["ports"] == ["${GATEWAY_LISTEN:-127.0.0.1:8080}:8080"]
    [connections] = re.findall(r"maxconn (\d+)", TEXT)
    assert SERVICES["balancer"]["ulimits"]["nofile"] > 2 * int(connections) + 100
