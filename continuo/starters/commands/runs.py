"""`continuo runs`: a row for each run, of every pattern and tenant."""

import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from cyclopts import App
from rich.text import Text

from continuo.authoring.prepare import validated
from continuo.config.settings import Settings
from continuo.errors import NoServer
from continuo.operations.runs import RunQuery, RunRow, RunRows, RunStatus
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.run_cells import answered_by, cost, tokens
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.runs import Runs, listed

runs = App(name="runs", help="List the runs, and make the table of them anew.")


@runs.command(name="list")
@runs.default
async def list_runs(
    *,
    tenant: str | None = None,
    pattern: str | None = None,
    status: RunStatus | None = None,
    since: str | None = None,
    limit: int = 50,
    form: Form | None = None,
) -> int:
    """List the runs, the newest first.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    pattern
        Those of this pattern alone, by the name it was started by.
    status
        Those with this status alone.
    since
        Those that began at most this long ago, such as 2h or 7d, or on this day or later, such as 2026-11-21 (UTC).
    limit
        So many at most.
    """
    form = form or Form()
    form.check()
    query = validated(RunQuery, tenant=tenant, pattern=pattern, status=status, since=since, limit=limit)
    from temporalio.service import RPCError

    from continuo.door.collecting import QUERY, collect
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    async with opened() as database:
        try:
            client = await connect()
            await collect(client, Runs(database, (await namespace_of(client)).id))
            address = f"{Settings().ui_url}/namespaces/{client.namespace}/workflows?query={quote(QUERY)}"
            note = f"in Temporal's UI: {address}"
        except (NoServer, RPCError) as error:
            note = ""
            err.print(f"warning: these are as they were last seen, since Temporal cannot be asked: {error}")
        rows = await listed(database, query)
    cells = [{**row.model_dump(mode="json"), "metadata": json.dumps(row.metadata)} for row in rows]
    form.show(RunRows(rows=tuple(rows)), tuple(RunRow.model_fields), cells, _table(rows))
    if note and not (form.json or form.csv):
        err.print(note)
    return 0


@runs.command
async def rebuild() -> int:
    """Make the rows anew from all runs that Temporal knows, while others run; rows of runs it has forgotten stay."""
    from continuo.door.collecting import rebuild as rebuilt
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    async with opened() as database:
        client = await connect()
        count = await rebuilt(client, Runs(database, (await namespace_of(client)).id))
    out.print(f"{count:,} ended runs were read")
    return 0


def _table(rows: Sequence[RunRow]) -> FittedTable:
    table = FittedTable(
        Column("run"),
        Column("began (UTC)", rank=2),
        Column("tenant", rank=3),
        Column("pattern", rank=1),
        Column("status"),
        Column("answered by"),
        Column("branch", rank=7),
        Column("tier", rank=6),
        Column("tokens", rank=5, number=True),
        Column("cost", number=True),
        Column("latency", rank=4, number=True),
        empty="no runs",
    )
    for row in rows:
        shadow = " (shadow)" if row.shadow_of else ""
        table.add_row(
            f"{row.workflow_id}{shadow}",
            _time(row.started),
            row.tenant,
            row.pattern,
            Text(row.status, style=_STYLES.get(row.status, "")),
            answered_by(row),
            row.label or row.variant or "-",
            "-" if row.tier is None else str(row.tier),
            tokens(row),
            cost(row),
            "-" if row.latency_ms is None else f"{row.latency_ms / 1000:.2f} s",
        )
    return table


_STYLES = {"running": "yellow", "done": "green", "failed": "red"}


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
