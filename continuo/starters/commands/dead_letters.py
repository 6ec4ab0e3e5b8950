"""`continuo dead-letters`: the jobs that failed for good, and what becomes of them."""

import asyncio
import json as jsonlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door import Run
from continuo.door.plain import plain_run
from continuo.door.stages import with_pattern
from continuo.door.ui import ui_address
from continuo.errors import InputError
from continuo.operations.dead_letters import TYPE, Letter
from continuo.starters.console.completion import PatternName
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.temporal.connect import connect

dead_letters = App(name="dead-letters", help="List, retry and discard the jobs that failed for good.")


@dataclass(frozen=True)
class Entry:
    """An open letter: its workflow, and what its memo tells of it."""

    handle: WorkflowHandle[Any, Any]
    brief: dict[str, Any]
    history: str

    async def letter(self) -> Letter:
        """All of it. Raises `InputError` as long as no worker answers for it."""
        try:
            letter: Letter = await self.handle.query("letter", result_type=Letter, rpc_timeout=timedelta(seconds=2))
        except (RPCError, WorkflowQueryFailedError) as error:
            raise InputError(f"no pool answers for {self.handle.id} ({error}); start one: continuo workers") from None
        return letter


@dead_letters.command(name="list")
@dead_letters.default
async def list_letters(*, tenant: str | None = None, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the letters that are open, the newest first.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    json
        Print them as JSON, whole: with the job, the error, and the address of the failed run.
    """
    entries = [entry for entry in await _open(await connect()) if tenant in (None, entry.brief["tenant"])]
    if json:
        rows = [
            {"id": entry.handle.id, "history": entry.history, **(await entry.letter()).model_dump(mode="json")}
            for entry in entries
        ]
        out.out(jsonlib.dumps(rows, indent=2))
        return 0
    columns = (
        Column("run"),
        Column("failed (UTC)", rank=2),
        Column("tenant", rank=3),
        Column("pattern", rank=4),
        Column("tries", rank=5, number=True),
        Column("error"),
        Column("prompt", rank=1),
    )
    table = FittedTable(*columns, empty="no open letters")
    for entry in entries:
        brief = entry.brief
        run = Text(brief["workflow_id"], style=f"link {entry.history}")
        failed = f"{datetime.fromisoformat(brief['time']):%Y-%m-%d %H:%M}"
        error = "\n".join(filter(None, (brief["error"], brief["note"])))
        table.add_row(run, failed, brief["tenant"], brief["pattern"], str(brief["tries"]), error, brief["prompt"])
    out.print(table)
    return 0


@dead_letters.command
async def retry(id: str, *, pattern: PatternName | None = None) -> int:
    """Run a job again under its own id; it is closed when that has answered.

    Parameters
    ----------
    id
        The id of the run that failed or of its letter, or the beginning of one.
    pattern
        Run this named pattern instead.
    """
    entry = await _find(id)
    if pattern is not None:
        # It may look whether a local server listens.
        await asyncio.to_thread(with_pattern, Library(), (await entry.letter()).job, pattern)
    await _send(entry, "retry", pattern)
    run = entry.brief["workflow_id"]
    out.print(f"{run} is tried again; its outcome: temporal workflow result --workflow-id {run}")
    return 0


@dead_letters.command
async def discard(id: str, *, note: str = "") -> int:
    """Give a job up.

    Parameters
    ----------
    id
        The id of the run that failed or of its letter, or the beginning of one.
    note
        Why, kept with the letter.
    """
    entry = await _find(id)
    await _send(entry, "discard", note)
    out.print(f"discarded {entry.brief['workflow_id']}")
    return 0


async def _open(client: Client) -> list[Entry]:
    ui_url, entries = Settings().ui_url, []
    async for run in client.list_workflows(f"WorkflowType = '{TYPE}' AND ExecutionStatus = 'Running'"):
        brief = dict(await run.memo())
        id, run_id = brief["workflow_id"], brief["run_id"]
        failed = (
            plain_run(client, id, run_id) if "plain" in brief else Run(client.get_workflow_handle(id, run_id=run_id))
        )
        handle = client.get_workflow_handle(run.id)
        entries.append(Entry(handle, brief, ui_address(ui_url, client.namespace, failed)))
    return sorted(entries, key=lambda entry: str(entry.brief["time"]), reverse=True)


async def _find(id: str) -> Entry:
    """The one open letter that `id` names. Raises `InputError` for none and for several."""
    entries = [(entry, (entry.handle.id, entry.brief["workflow_id"])) for entry in await _open(await connect())]
    # A whole id is not ambiguous because it is the beginning of another one, as order-1 is of order-10.
    exact = [entry for entry, names in entries if id in names]
    matches = exact or [entry for entry, names in entries if id and any(name.startswith(id) for name in names)]
    if len(matches) != 1:
        what = f"{len(matches)} open letters have ids that begin" if matches else "no open letter has an id that begins"
        raise InputError(f"id: {what} with {id!r}; see `continuo dead-letters --json`")
    return matches[0]


async def _send(entry: Entry, signal: str, value: str | None) -> None:
    try:
        await entry.handle.signal(signal, value)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        raise InputError(f"id: {entry.handle.id} has just been closed; see `continuo dead-letters`") from None
