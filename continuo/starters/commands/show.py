"""`continuo show`: one run as it went, to its end or until now."""

from typing import Annotated

from cyclopts import Parameter

from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.operations.runs import RunRow
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.runs import rows_of


async def show(run: str, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show a run: its steps with times and costs, its answers, and why each tier gave way.

    Parameters
    ----------
    run
        Its workflow id, the beginning of that, or its run id; of several runs with one id the newest is shown.
    json
        Print all of it as JSON.
    """
    from continuo.door.inspection import Inspection, inspected
    from continuo.starters.console.shown_run import shown_run
    from continuo.temporal.connect import connect

    inspection = await inspected(await connect(), run) or Inspection(run=await _kept(run))
    inspection = Inspection.model_validate_json(Library().masker.json(inspection.model_dump_json()))
    if inspection.forgotten:
        err.print("warning: Temporal has forgotten this run; its row is all that is left")
    elif inspection.steps is None:
        err.print("warning: no pool answers for the steps of this run; start one: continuo workers")
    if json:
        out.out(inspection.model_dump_json(indent=2, exclude={"step"}))
    else:
        for part in shown_run(inspection, out):
            out.print(part)
    return 0


async def _kept(run: str) -> RunRow:
    """What the table of runs has. Raises `InputError` for an unknown run."""
    async with opened() as database:
        rows = await rows_of(database, run)
    if not rows:
        raise InputError(f"run: no run has the id {run[:80]!r}, or one that begins with it; see `continuo runs`")
    return rows[0]
