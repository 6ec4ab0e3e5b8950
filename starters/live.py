"""A run as it goes: a tree that changes on a terminal, a line for each change elsewhere."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.tree import Tree
from temporalio.client import Client

from continuo.jobs import CallRecord, Failure, Job, Outcome, total_cost, under
from continuo.parts import below
from continuo.patterns import Call, Step
from continuo.progress import StepState
from starters.launch import Handle, progress, result
from starters.money import money

INTERVAL = 0.5
"""Seconds between two looks at a run."""

CROWD = 12
"""Of more steps than this under one, only those that run or failed are shown; the rest is counted."""

_MARKS = {"waiting": "·", "running": "…", "done": "✓", "failed": "✗", "cancelled": "⊘"}
_LEAVES = ("call", "template", "http")


async def watch(client: Client, handle: Handle, job: Job, console: Console) -> Outcome | Failure:
    """Show the run on `console` until it ends, and return what it came to."""
    ending = asyncio.create_task(result(handle))
    run = Run(client, handle.id)
    try:
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                while not ending.done():
                    await asyncio.wait([ending], timeout=INTERVAL)
                    await run.look()
                    live.update(tree(job.step, run), refresh=True)
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
        found = await progress(self._client.get_workflow_handle(id))
        calls = found.calls
        for state in found.steps:
            self.states[state.path] = state
            if state.workflow_id is None or state.kind in _LEAVES or state.workflow_id in self._seen:
                continue
            inner = await self._ask(state.workflow_id)
            if state.status == "running":
                calls += inner
            else:
                # Its calls are among its parent's now, and it will not change again.
                self._seen.add(state.workflow_id)
        return calls


def line(state: StepState, run: Run) -> str:
    """One step as it is, such as `✓ tier2 (call) done 1.2 s $0.000012`."""
    return f"{_MARKS[state.status]} {state.path} ({state.kind}) {_told(state, run)}"


def tree(step: Step, run: Run) -> Tree:
    """Every step of the pattern, with its state, time and cost."""
    found = Tree(step.kind)
    _grow(found, step, "", run)
    return found


def _grow(branch: Tree, step: Step, path: str, run: Run) -> None:
    nested = {f"{path}.{name}".lstrip("."): inner for name, inner in below(step).items()}
    hidden: Counter[str] = Counter()
    for inner_path, inner in nested.items():
        state = run.states.get(inner_path)
        status: str = state.status if state else "waiting"
        if len(nested) > CROWD and status not in ("running", "failed"):
            hidden[status] += 1
            continue
        what = inner.model if isinstance(inner, Call) else inner.kind
        told = f" {_told(state, run)}" if state else ""
        name = inner_path.removeprefix(path).lstrip(".")
        _grow(branch.add(f"{_MARKS[status]} {name}: {what}{told}"), inner, inner_path, run)
    for status, count in hidden.items():
        branch.add(f"{_MARKS[status]} {count} more {status}")


def _told(state: StepState, run: Run) -> str:
    seconds = ((state.ended or datetime.now(UTC)) - state.started).total_seconds()
    calls = under(state.path, run.calls)
    cost = f" {money(total_cost(calls))}" if calls else ""
    return f"{state.status} {seconds:.1f} s{cost}"
