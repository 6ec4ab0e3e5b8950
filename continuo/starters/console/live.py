"""A run as it goes: a tree that changes on a terminal, a line for each change elsewhere."""

import asyncio

from rich.console import Console
from rich.live import Live
from rich.text import Text
from temporalio.client import Client

from continuo import door
from continuo.door.runs import progress
from continuo.jobs import CallRecord, Failure, Job, Outcome
from continuo.patterns.step import LEAVES
from continuo.progress import StepState
from continuo.starters.console.run_tree import details, marked, screenful, tree
from continuo.starters.console.terminal import levels

INTERVAL = 0.5
"""Seconds between two looks at a run."""


async def watch(
    client: Client, submitted: door.Run, job: Job, console: Console, *, lines: bool = False
) -> Outcome | Failure:
    """Show the run on `console` until it ends, and return what it came to.

    It is a tree on a terminal, and `lines` elsewhere or where they are asked for.
    """
    ending = asyncio.create_task(submitted.result())
    run = Run(client, submitted.id)
    try:
        if console.is_interactive and not lines:
            with Live(console=console, auto_refresh=False) as live:
                while not ending.done():
                    await asyncio.wait([ending], timeout=INTERVAL)
                    await run.look()
                    live.update(screenful(job.step, run.states, run.calls, console), refresh=True)
                # What is above the screen can be scrolled to; it is not drawn again.
                live.update(tree(job.step, run.states, run.calls, levels(console)))
        else:
            while not ending.done():
                await asyncio.wait([ending], timeout=INTERVAL)
                for state in await run.look():
                    console.print(line(state, run))
        return await ending
    finally:
        ending.cancel()


class Run:
    """What has been seen of a run: its steps by their path, and the calls that ended."""

    def __init__(self, client: Client, id: str) -> None:
        self.states: dict[str, StepState] = {}
        self.calls: tuple[CallRecord, ...] = ()
        self._client = client
        self._id = id
        self._seen: set[str] = set()

    async def look(self) -> list[StepState]:
        """Ask the run and its children how far they are; return the steps that have changed."""
        before = dict(self.states)
        self.calls = await self._ask(self._id)
        return [state for path, state in self.states.items() if before.get(path) != state]

    async def _ask(self, id: str) -> tuple[CallRecord, ...]:
        known = await progress(self._client.get_workflow_handle(id))
        calls = known.calls
        for state in known.steps:
            self.states[state.path] = state
            if state.workflow_id is None or state.kind in LEAVES or state.workflow_id in self._seen:
                continue
            inner = await self._ask(state.workflow_id)
            if state.status == "running":
                calls += inner
            else:
                # Its calls are among its parent's now, and it will not change again.
                self._seen.add(state.workflow_id)
        return calls


def line(state: StepState, run: Run) -> Text:
    """One step as it is, such as `✓ tier2 (call) done 1.2 s $0.000012`."""
    return marked(state.status, f"{state.path} ({state.kind}) {details(state, run.calls)}")
