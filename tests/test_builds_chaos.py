"""A deployment of an incompatible change while runs are under way, with builds and without: pools are processes."""

import asyncio
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowHandle

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.breakers import act_on_breaker
from continuo.door.plain import start_plain
from continuo.jobs import Outcome
from continuo.patterns import Call
from continuo.protection.breaker import State
from continuo.starters.doctor.temporal import builds
from continuo.temporal.builds import standings
from continuo.temporal.queues import pollers
from continuo.testing.processes import job, outcome, python, running, until
from continuo.workers.joining import joining
from continuo.workers.local.processes import Child
from continuo.workers.local.temporal_server import find
from continuo.workers.pool import pool
from tests.support.repository import ROOT
from tests.support.world import made

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

EARLIER = """
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
def brew(kind: str) -> str:
    return f"{kind} {BUILD}"


@workflow.defn
class Order:
    def __init__(self) -> None:
        self._brewed, self._paid = False, False

    @workflow.run
    async def run(self, kind: str) -> str:
        cup = await self._brew(kind)
        await workflow.wait_condition(lambda: self._paid)
        return cup

    async def _brew(self, kind: str) -> str:
        cup: str = await workflow.execute_activity(brew, kind, start_to_close_timeout=timedelta(seconds=9))
        self._brewed = True
        return cup

    @workflow.signal
    def pay(self) -> None:
        self._paid = True

    @workflow.query
    def brewed(self) -> bool:
        return self._brewed


BUILD = "of the earlier build"
WORKFLOWS = [Order]
ACTIVITIES = [brew]
"""

LATER = EARLIER.replace("earlier", "later").replace(
    """
        cup = await self._brew(kind)
        await workflow.wait_condition(lambda: self._paid)
        return cup
""",
    """
        await workflow.wait_condition(lambda: self._paid)
        return await self._brew(kind)
""",
)
"""Who orders pays first, which a run that has brewed already cannot go on with."""

LEFT = "tea-1042"

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

SOON = [f'matching.wv.VersionDrainageStatus{name}="1s"' for name in ("RefreshInterval", "VisibilityGracePeriod")]
"""Else the server looks minutes later what has drained."""


def of_build(folder: Path, module: str, build: str) -> Child:
    log = folder / f"pool-{module}-{build}.log"
    line = ("continuo", "workers", "--priority", "standard", "--with", module)
    return python(*line, ready="pool ready", log=log, CONTINUO_BUILD=build)


async def ordered(client: Client, id: str, *, brewed: bool = True) -> WorkflowHandle[object, str]:
    run = await client.start_workflow("Order", "tea", id=id, task_queue="standard", result_type=str)
    if brewed:
        await until(lambda: run.query("brewed"))
    return run


async def make_current(client: Client, build: str) -> None:
    """By the page's command, once the server has heard of the build; what begins then comes to it."""

    async def made_current() -> bool:
        return await command("set-current-version", build) is not None

    async def takes() -> bool:
        return any(one.takes for one in await pollers(client, "standard") if one.build == build)

    await until(made_current)
    await until(takes)


async def command(words: str, build: str = "b2") -> str | None:
    """What the page's command with these words prints, for another build than the page's; None where it fails."""
    [line] = [line for line in map(str.strip, PAGE.splitlines()) if line.startswith("temporal") and words in line]
    program, *arguments = find(Settings().cache), *shlex.split(line.replace("b2", build))[1:]
    assert program is not None
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=PIPE, stderr=DEVNULL)
    printed, _ = await process.communicate()
    return None if process.returncode else printed.decode()


async def failed_to_replay(run: WorkflowHandle[object, str]) -> bool:
    failures = [
        event.workflow_task_failed_event_attributes.cause
        for event in (await run.fetch_history()).events
        if event.HasField("workflow_task_failed_event_attributes")
    ]
    return WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR in failures


async def test_a_run_ends_on_the_build_that_began_it_and_without_builds_the_change_stops_it(
    tmp_path: Path, environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"continuo.toml": "", "earlier.py": EARLIER, "later.py": LATER}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    async with made(tmp_path, *SOON) as world, AsyncExitStack() as stack:
        client, library = world.client, Library()
        first, second = of_build(tmp_path, "earlier", "b1"), of_build(tmp_path, "later", "b2")
        async with asyncio.TaskGroup() as starting:
            for child in (first, second):
                starting.create_task(stack.enter_async_context(running(child)))
        # Nothing comes to these yet.
        async with pool(client, library, "standard", 2, joining(["earlier"])):
            stopped, moved = await ordered(client, "stopped"), await ordered(client, "moved")
        async with pool(client, library, "standard", 2, joining(["later"])):
            await stopped.signal("pay")
            await until(lambda: failed_to_replay(stopped))
        assert "set-current-version --deployment-name continuo --build-id b" in (await builds(library)).fix

        await make_current(client, "b1")
        await moved.signal("pay")
        assert await moved.result() == "tea of the earlier build"
        under_way, left = await ordered(client, "under-way"), await ordered(client, LEFT)
        breaker = client.get_workflow_handle(await act_on_breaker(client, State(provider="sim"), "force_open", ""))
        await until(lambda: breaker.query("state"))

        await make_current(client, "b2")
        await under_way.signal("pay")
        assert await under_way.result() == "tea of the earlier build"
        begun = await ordered(client, "begun", brewed=False)
        await begun.signal("pay")
        assert await begun.result() == "tea of the later build"
        call = job(Call(model="sim-mini"))
        plain = await start_plain(client, call, id="plain", weight=1)
        assert (await outcome(client, call)).model == "sim-mini"
        assert isinstance(await plain.result(), Outcome)

        async def found_left() -> bool:
            return LEFT in (await command("TemporalWorkerDeploymentVersion", "b1") or "")

        await until(found_left)
        assert await command("update-options") is not None
        await left.signal("pay")
        # It has moved, and nobody should move what the current build cannot replay.
        await until(lambda: failed_to_replay(left))

        async def drained() -> bool:
            return await standings(client) == {"b2": "current", "b1": "drained"}

        # A breaker goes on with the current build: it keeps no other from being drained.
        await until(drained)
        await first.stop()
        await breaker.signal("reset")
        assert (await breaker.query("state", result_type=State)).state == "closed"
