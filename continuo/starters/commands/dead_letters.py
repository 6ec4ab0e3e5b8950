"""`continuo dead-letters`: the jobs that failed for good, and what becomes of them."""

import asyncio
import json as jsonlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.stages import again
from continuo.errors import InputError
from continuo.starters.console.completion import PatternName
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out

if TYPE_CHECKING:
    from continuo.door.dead_letters import Entry

dead_letters = App(name="dead-letters", help="List, retry and discard the jobs that failed for good.")


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
    entries = [entry for entry in await _open() if tenant in (None, entry.brief["tenant"])]
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
    entry = await find_letter(id)
    # It may look whether a local server listens.
    await asyncio.to_thread(again, Library(), (await entry.letter()).job, pattern)
    await entry.send("retry", pattern)
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
    entry = await find_letter(id)
    await entry.send("discard", note)
    out.print(f"discarded {entry.brief['workflow_id']}")
    return 0


async def _open() -> list["Entry"]:
    from continuo.door.dead_letters import open_letters
    from continuo.temporal.connect import connect

    return await open_letters(await connect(), Settings().ui_url)


async def find_letter(id: str) -> "Entry":
    """The one open letter that `id` names. Raises `InputError` for none and for several."""
    entries = [(entry, (entry.handle.id, entry.brief["workflow_id"])) for entry in await _open()]
    # A whole id is not ambiguous because it is the beginning of another one, as order-1 is of order-10.
    exact = [entry for entry, names in entries if id in names]
    matches = exact or [entry for entry, names in entries if id and any(name.startswith(id) for name in names)]
    if len(matches) != 1:
        what = f"{len(matches)} open letters have ids that begin" if matches else "no open letter has an id that begins"
        raise InputError(f"id: {what} with {id!r}; see `continuo dead-letters --json`")
    return matches[0]
