"""What several test files need: processes that stand for the world, and jobs to run on them."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.runs import Handle, result, start
from continuo.jobs import Context, Failure, Job, Outcome, Priority
from continuo.messages import Message, ModelRequest
from continuo.patterns import Step
from continuo.starters.service import Service
from continuo.workers.local.ports import Ports
from continuo.workers.local.processes import Child
from continuo.workers.local.processes import module as command_line
from continuo.workers.local.temporal_server import answers, command, ensure
from continuo.workers.registered import WORKFLOWS
from continuo.workers.sandbox import runner


async def until(condition: Callable[[], Awaitable[object]], *, timeout: float = 60, every: float = 0.05) -> None:
    """Wait until `condition`, asked `every` so many seconds, is true; its exceptions count as not yet."""
    async with asyncio.timeout(timeout):
        while True:
            try:
                if await condition():
                    return
            except (httpx.HTTPError, OSError):
                pass
            await asyncio.sleep(every)


@lru_cache(maxsize=1)
def _library(catalog: Path, tenants: Path) -> Library:
    """Of these files, read once: the shipped catalog alone takes longer to read than many a test to run."""
    return Library(Settings(simulated=True))


async def until_cancelled(handle: Handle) -> None:
    """Cancel a run and wait for its end, which comes after that of its calls."""
    await handle.cancel()

    async def cancelled() -> bool:
        return (await handle.describe()).status == WorkflowExecutionStatus.CANCELED

    await until(cancelled)


def job(step: Step, prompt: str = "Where is my order?", *, priority: Priority = "standard", **data: Any) -> Job:
    """A job for `step`, its aliases resolved to simulated models."""
    settings = Settings(simulated=True)
    return Job(
        step=_library(settings.catalog, settings.tenants).step(step),
        context=Context(pattern="test", tenant="acme", priority=priority),
        request=ModelRequest(messages=(Message(role="user", content=prompt),)),
        data=data,
    )


async def begin(client: Client, job: Job, *, weight: float = 1.0) -> Handle:
    return await start(client, job, id=f"test-{uuid4()}", weight=weight)


async def outcome(client: Client, job: Job) -> Outcome:
    """Run `job` to its outcome; a failure fails the test."""
    end = await result(await begin(client, job))
    assert isinstance(end, Outcome), end
    return end


async def failure(client: Client, job: Job) -> Failure:
    """Run `job` to its failure; an outcome fails the test."""
    end = await result(await begin(client, job))
    assert isinstance(end, Failure), end
    return end


async def replay(client: Client, id: str) -> None:
    """Replay the history of a workflow and those of all its children; what is not deterministic raises."""
    async for history in histories(client, id):
        await replayer(history, client.data_converter).replay_workflow(history)


def replayer(history: WorkflowHistory, data_converter: DataConverter, *, sandbox: bool = False) -> Replayer:
    """What replays the history: with the one workflow that it is of, since the sandbox loads each that is named, in ten
    times the time of a replay."""
    kind = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
    return Replayer(
        workflows=[one for one in WORKFLOWS if one.__name__.removesuffix("Workflow") == kind],
        workflow_runner=runner(sandbox=sandbox),
        data_converter=data_converter,
    )


async def histories(client: Client, id: str) -> AsyncIterator[WorkflowHistory]:
    """The history of a workflow and those of all its children."""
    history = await client.get_workflow_handle(id).fetch_history()
    yield history
    for event in history.events:
        if event.HasField("child_workflow_execution_started_event_attributes"):
            child = event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            async for inner in histories(client, child):
                yield inner


class Control(Service):
    """The control side of the simulated provider or of the shop."""

    async def behave(self, model: str, **behaviour: Any) -> None:
        await self.put(f"/_sim/models/{model}", **behaviour)

    async def calls(self, model: str | None = None) -> list[dict[str, Any]]:
        every_call: list[dict[str, Any]] = (await self.get("/_sim/calls"))["calls"]
        return [call for call in every_call if model in (None, call["model"])]


class TemporalServer:
    """A Temporal server of its own, that can be killed and started again on the same file.

    `config` is more of its dynamic configuration, each as `NAME=JSON`.
    """

    def __init__(self, folder: Path, *config: str, port: int = 0) -> None:
        ports = Ports(port, 0, 0, 0).taken_as_free(temporal=True)
        self.address, self.metrics_port = f"127.0.0.1:{ports.temporal}", ports.sim
        folder.mkdir(parents=True, exist_ok=True)
        line = command(ensure(Settings().cache), port=ports.temporal, ui_port=ports.ui, database=folder / "temporal.db")
        line += ["--metrics-port", str(self.metrics_port)]
        line += [part for value in config for part in ("--dynamic-config-value", value)]
        self.child = Child("temporal", line, folder / "temporal.log", partial(answers, ports.temporal), os.environ)

    async def start(self) -> None:
        await self.child.start()

    async def stop(self) -> None:
        await self.child.stop()


@asynccontextmanager
async def running_temporal(folder: Path, *config: str) -> AsyncIterator[TemporalServer]:
    server = TemporalServer(folder, *config)
    try:
        await server.start()
        yield server
    finally:
        # Nobody reads its file again: it has nothing to end in order, which takes a second.
        if server.child.process is not None and server.child.process.returncode is None:
            await kill(server.child)


async def kill(child: Child) -> None:
    """SIGKILL, and wait until it is gone."""
    assert child.process is not None
    child.process.kill()
    await child.process.wait()


def python(module: str, *arguments: str, ready: str, log: Path, **environment: str) -> Child:
    """A module of ours as a process, not yet started."""
    return Child(module, command_line(module, *arguments), log, ready, {**os.environ, **environment})


@asynccontextmanager
async def running(child: Child) -> AsyncIterator[Child]:
    try:
        await child.start()
        yield child
    finally:
        await child.stop()


@asynccontextmanager
async def served(module: str, *arguments: str, log: Path) -> AsyncIterator[Control]:
    """A server of ours that prints its address on its first line, on a free port."""
    async with running(python(module, "--port", "0", *arguments, ready="http://", log=log)) as child:
        control = Control(child.ready_line)
        yield control
        await control.aclose()


def pool_process(priority: Priority, log: Path, **environment: str) -> Child:
    """A worker pool as a process of its own, not yet started."""
    return python("continuo", "workers", "--priority", priority, ready="pool ready", log=log, **environment)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
