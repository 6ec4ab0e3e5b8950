"""`continuo alerts`: what is looked after, and what fires."""

from typing import Annotated
from uuid import uuid4

from cyclopts import App, Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.config.alerts import Alerts
from continuo.decisions.alerts import Alert
from continuo.errors import InputError
from continuo.operations.alerts import QUEUE, SCHEDULE, TYPE, AlertRow, AlertRows, Evaluated, limit_of, shown
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.alerts import alerts as standing

alerts = App(name="alerts", help="List how the alerts stand, and look now whether one fires.")


@alerts.command(name="list")
@alerts.default
async def list_alerts(*, form: Form | None = None) -> int:
    """List the rules and how each stands, as when it was looked last: those that fire first."""
    form = form or Form()
    form.check()
    config = Library().alerts
    async with opened() as database:
        rows = _rows(config, await standing(database))
    form.show(
        AlertRows(rows=rows), tuple(AlertRow.model_fields), [row.model_dump(mode="json") for row in rows], _table(rows)
    )
    return 0


@alerts.command
async def check(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Look now, as a pool does once a minute, and tell whom it concerns: exit code 1 while an alert fires.

    Parameters
    ----------
    json
        Print what it came to as JSON.
    """
    from temporalio.client import WorkflowFailureError

    from continuo.temporal.connect import connect
    from continuo.temporal.failures import failure_of
    from continuo.temporal.queues import takers

    client = await connect()
    if not await takers(client, QUEUE):
        raise InputError(f"no pool works on the queue {QUEUE}; start one: continuo workers")
    try:
        result: Evaluated = await client.execute_workflow(
            TYPE, id=f"{SCHEDULE}-{uuid4()}", task_queue=QUEUE, result_type=Evaluated
        )
    except WorkflowFailureError as error:
        err.print(f"failed: {failure_of(error.cause).message}")
        return 1
    if json:
        out.out(result.model_dump_json(indent=2))
    else:
        out.print(
            f"{result.firing} alerts fire; {len(result.fired)} of them since now, {len(result.recovered)} recovered"
        )
        for name in result.unmeasured:
            err.print(f"warning: {name} could not be measured; see the log of the pool")
    return 1 if result.firing else 0


def _rows(config: Alerts, known: list[Alert]) -> tuple[AlertRow, ...]:
    names = {*config.rules, *(alert.rule for alert in known if alert.firing)}
    rows = list[AlertRow]()
    for name in names:
        rule, of_rule = config.rules.get(name), [alert for alert in known if alert.rule == name]
        about = {
            "rule": name,
            "measure": rule and rule.measure,
            "limit": "taken out" if rule is None else limit_of(rule),
            "severity": rule and rule.severity,
        }
        rows += [AlertRow(**about, **alert.model_dump(exclude={"rule"})) for alert in of_rule]
        if not of_rule:
            rows.append(AlertRow(**about, label="", firing=False))
    return tuple(sorted(rows, key=lambda row: (not row.firing, row.rule, row.label)))


def _table(rows: tuple[AlertRow, ...]) -> FittedTable:
    table = FittedTable(
        Column("rule"), Column("of", rank=1), Column("state"), Column("since (UTC)", rank=3),
        Column("now", number=True), Column("fires", rank=2), Column("severity", rank=4), empty="there are no rules",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.rule,
            row.label or "-",
            Text("fires", "red") if row.firing else Text("ok", "green"),
            f"{row.since:%Y-%m-%d %H:%M:%S}" if row.since else "-",
            "-" if row.value is None or row.measure is None else shown(row.measure, row.value),
            row.limit,
            row.severity or "-",
        )
    return table
