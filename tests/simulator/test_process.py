"""`python -m continuo.simulator` as a process of its own."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from continuo.testing.processes import until
from tests.simulator.conftest import body, path
from tests.support.repository import ROOT


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "continuo.simulator", *arguments, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().removesuffix("\n")


async def test_the_first_line_is_an_address_that_already_answers() -> None:
    async with started("--port", "0") as process, httpx.AsyncClient() as http:
        url = await address(process)
        assert url.startswith("http://127.0.0.1:")
        assert (await http.get(f"{url}/_sim/health")).json() == {"status": "ok"}


async def test_host_and_latency_are_set_at_the_start_and_a_script_without_a_latency_keeps_it() -> None:
    async with started("--port", "0", "--host", "127.0.0.2", "--latency", "0.3") as process:
        url = await address(process)
        assert url.startswith("http://127.0.0.2:")
        async with httpx.AsyncClient(base_url=url) as http:
            await http.put("/_sim/models/some-model", json={"text": "slow"})
            before = time.perf_counter()
            await http.post(path("openai"), json=body("openai"))
            assert time.perf_counter() - before >= 0.3
            await http.put("/_sim/models/quick", json={"latency": 0})
            assert (await http.get("/_sim/models/quick")).json()["latency"] == 0


async def test_a_taken_port_is_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started("--port", str(port)) as process:
            out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode() == f"error: port {port} of the simulator is taken; choose another with --port\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "--port"),
        (["--latency", "-1"], "--latency"),
        (["--port", "0", "--host", "no.such.host.invalid"], "no.such.host.invalid"),
    ],
)
async def test_wrong_arguments_end_it_with_a_line_about_them(arguments: list[str], told: str) -> None:
    async with started(*arguments) as process:
        out, err = await process.communicate()
    assert process.returncode not in (0, None)
    assert told in (out + err).decode()
    assert b"Traceback" not in out + err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_and_soon_whatever_is_in_flight(number: signal.Signals) -> None:
    async with started("--port", "0", "--latency", "60") as process:
        async with httpx.AsyncClient(base_url=await address(process), timeout=30) as http:
            asking = asyncio.create_task(http.post(path("openai"), json=body("openai")))

            async def seen() -> bool:
                return bool((await http.get("/_sim/calls")).json()["calls"])

            await until(seen)
            before = time.perf_counter()
            process.send_signal(number)
            assert await asyncio.wait_for(process.wait(), 10) == 0
            assert time.perf_counter() - before < 8
            asking.cancel()
        _, err = await process.communicate()
    assert err == b""
