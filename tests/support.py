"""What several test files need: processes that stand for the world, and jobs to run on them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from temporalio.client import Client

from continuo.catalog import load_catalog
from continuo.jobs import Context, Failure, Job, Outcome, Priority
from continuo.messages import Message, ModelRequest
from continuo.patterns import Step
from continuo.prepare import resolved
from continuo.settings import Settings, environment
from starters.launch import Handle, result, start


async def until(condition: Callable[[], Awaitable[object]], *, timeout: float = 30) -> None:
    """Wait until `condition` is true; its exceptions count as not yet."""
    async with asyncio.timeout(timeout):
        while True:
            try:
                if await condition():
                    return
            except (httpx.HTTPError, OSError):
                pass
            await asyncio.sleep(0.05)


def job(step: Step, prompt: str = "Where is my order?", *, priority: Priority = "standard", **data: Any) -> Job:
    """A job for `step`, its aliases resolved to simulated models."""
    return Job(
        step=resolved(step, load_catalog(Settings().catalog), environment(), simulated=True),
        context=Context(pattern="test", tenant="acme", priority=priority),
        request=ModelRequest(messages=(Message(role="user", content=prompt),)),
        data=data,
    )


async def begin(client: Client, job: Job) -> Handle:
    return await start(client, job, id=f"test-{uuid4()}")


async def outcome(client: Client, job: Job) -> Outcome:
    """Run `job` to its outcome; a failure fails the test."""
    found = await result(await begin(client, job))
    assert isinstance(found, Outcome), found
    return found


async def failure(client: Client, job: Job) -> Failure:
    """Run `job` to its failure; an outcome fails the test."""
    found = await result(await begin(client, job))
    assert isinstance(found, Failure), found
    return found


class Control:
    """The control side of the simulated provider or of the shop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url)

    async def get(self, path: str) -> Any:
        return (await self._http.get(path)).raise_for_status().json()

    async def put(self, path: str, **body: Any) -> None:
        (await self._http.put(path, json=body)).raise_for_status()

    async def delete(self, path: str) -> None:
        (await self._http.delete(path)).raise_for_status()

    async def behave(self, model: str, **behaviour: Any) -> None:
        await self.put(f"/_sim/models/{model}", **behaviour)

    async def calls(self, model: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/_sim/calls"))["calls"]
        return [call for call in found if model in (None, call["model"])]

    async def aclose(self) -> None:
        await self._http.aclose()


class Process:
    """A Python module of ours as a process, ended with the context that started it."""

    def __init__(self, module: str, *arguments: str, log: Path) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=log
            )

    async def first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        assert line, f"{self._command} printed nothing; see {self._log}"
        return line

    async def logged(self, text: str) -> None:
        """Wait until the log holds `text`."""

        async def found() -> bool:
            return text in self._log.read_text(encoding="utf-8", errors="replace")

        await until(found)

    async def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait until the process is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
        if self._process is not None:
            await self._process.wait()


@asynccontextmanager
async def served(module: str, *arguments: str, log: Path) -> AsyncIterator[Control]:
    """A server of ours that prints its address on its first line, on a free port."""
    process = Process(module, "--port", "0", *arguments, log=log)
    await process.start()
    try:
        control = Control(await process.first_line())
        yield control
        await control.aclose()
    finally:
        await process.end()


@asynccontextmanager
async def pool_process(priority: Priority, log: Path) -> AsyncIterator[Process]:
    """A worker pool as a process of its own, ready to work."""
    process = Process("workers", "--priority", priority, log=log)
    await process.start()
    try:
        await process.logged("pool ready")
        yield process
    finally:
        await process.end(signal.SIGKILL)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
