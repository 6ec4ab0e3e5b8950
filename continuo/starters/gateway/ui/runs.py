"""The runs: a list with totals of all that it could show, and one run as it goes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from continuo.deltas import TextDelta
from continuo.door.inspection import Inspection, inspected
from continuo.door.ui import ui_address
from continuo.errors import InputError
from continuo.operations.runs import Mark, RunQuery, RunRow, RunStatus
from continuo.starters.console.run_cells import answered_by, cost, tokens
from continuo.starters.console.run_tree import tree_rows
from continuo.starters.gateway.cancelling import cancel as cancel_run
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.ui.visits import Unserved, Visit, page
from continuo.stores.runs import listed, rows_of, totals

PAGE = 50

LEVELS = 40
"""Of a tree, before it is written flat."""

SHOWN = 20_000
"""Characters of an answer that comes: the last ones."""

OTHERS = 20
"""Runs of the same id that are listed."""

CELLS: Mapping[str, Any] = {"answered_by": answered_by, "cost": cost, "tokens": tokens}
"""What a row is shown by, as the command shows it."""


@page()
async def list_runs(visit: Visit) -> Response:
    query = visit.query(RunQuery, tenant=visit.tenant, limit=PAGE + 1)
    after = _mark(visit.fields.get("after", ""))
    database = visit.gateway.store
    rows = await listed(database, query, after)
    more = None
    if len(rows) > PAGE:
        rows = rows[:PAGE]
        wanted = {name: value for name, value in visit.fields.items() if value}
        more = urlencode({**wanted, "after": f"{rows[-1].started.isoformat()}~{rows[-1].run_id}"})
    return visit.show(
        "runs.html",
        rows=rows,
        totals=await totals(database, query),
        more=more,
        statuses=get_args(RunStatus),
        **CELLS,
    )


@page()
async def show(visit: Visit) -> Response:
    inspection = await _inspection(visit)
    gateway, row = visit.gateway, inspection.run
    others = [other for other in await rows_of(gateway.store, row.workflow_id) if other.run_id != row.run_id]
    return visit.show("run.html", others=others[:OTHERS], **await _seen(gateway, inspection))


@page()
async def live(visit: Visit) -> Response:
    """The part of a run's page that changes."""
    return visit.show("run_live.html", **await _seen(visit.gateway, await _inspection(visit)))


@page("operator")
async def cancel(visit: Visit) -> Response:
    row = (await _inspection(visit)).run
    if (run := await visit.gateway.running.known(row.workflow_id)) is not None:
        await cancel_run(run)
    return visit.go("/run", id=row.workflow_id)


async def _inspection(visit: Visit) -> Inspection:
    """The run that is named, with no secret in it. Raises `Unserved` for one that is not there, or another tenant's."""
    id, gateway = visit.fields.get("id", ""), visit.gateway
    try:
        inspection = await inspected(gateway.door.client, id)
    except InputError:
        # It may be the beginning of ids of which the person may see none.
        inspection = None
    if inspection is None and (rows := await rows_of(gateway.store, id)):
        inspection = Inspection(run=rows[0])
    if inspection is None or not visit.owns(inspection.run.tenant):
        raise Unserved(404, f"there is no run {id[:200]!r} here")
    return Inspection.model_validate_json(gateway.door.library.masker.json(inspection.model_dump_json()))


async def _seen(gateway: Gateway, inspection: Inspection) -> dict[str, Any]:
    row, states = inspection.run, {state.path: state for state in inspection.steps or ()}
    tree = tree_rows(inspection.step, states, inspection.calls, LEVELS) if inspection.step else []
    below: dict[int | None, list[int]] = {}
    for number, line in enumerate(tree):
        below.setdefault(line.above, []).append(number)
    return {
        "inspection": inspection,
        "row": row,
        "tree": tree,
        "below": below,
        "coming": await _coming(gateway, row),
        **CELLS,
        "temporal": await _address(gateway, row),
    }


async def _coming(gateway: Gateway, row: RunRow) -> str:
    """The end of an answer that comes, if its run keeps the pieces."""
    if row.status != "running":
        return ""
    text, count = "", 0
    while pieces := await gateway.streams.read(row.run_id, count):
        count += len(pieces)
        text = (text + "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)))[-SHOWN:]
    return text


async def _address(gateway: Gateway, row: RunRow) -> str | None:
    """Where Temporal's UI shows the run; None where it knows the run no more."""
    client = gateway.door.client
    run = await gateway.running.known(row.workflow_id)
    return None if run is None else ui_address(gateway.door.library.settings.ui_url, client.namespace, run)


def _mark(text: str) -> Mark | None:
    if not text:
        return None
    time, _, run_id = text.partition("~")
    try:
        return Mark(datetime.fromisoformat(time), run_id)
    except ValueError:
        raise InputError("after: it is no place in this list; begin at its top") from None
