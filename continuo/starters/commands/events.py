"""`continuo events`: what has happened, as subscribers are told of it."""

import asyncio
from datetime import UTC
from typing import Annotated

from cyclopts import App, Parameter

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.config.events import Wanted
from continuo.config.settings import environment
from continuo.errors import InputError, unknown
from continuo.operations.events import Event
from continuo.protection.webhooks import keys_of, secret_of
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.starters.store import opened
from continuo.stores.events import latest, newest, positions, read_after

PAUSE = 0.5
"""Seconds between two looks."""

PORTION = 500

MOST = 10_000

Flag = Annotated[bool, Parameter(negative=())]
Several = Annotated[tuple[str, ...], Parameter(negative=())]

events = App(name="events", help="List what has happened, follow it as it does, and tell where each subscriber stands.")


@events.command(name="list")
@events.default
async def list_events(
    *,
    type: Several = (),
    tenant: Several = (),
    pattern: Several = (),
    run: str | None = None,
    limit: int = 50,
    json: Flag = False,
) -> int:
    """List the last events, in their order.

    Parameters
    ----------
    type
        Those of this type alone, such as run.failed, or of this kind, such as run.*; can be given again.
    tenant
        Those of this tenant alone; can be given again.
    pattern
        Those of this pattern alone; can be given again.
    run
        Those of the run with this id alone.
    limit
        So many at most.
    json
        Print them as CloudEvents, one a line.
    """
    if not 1 <= limit <= MOST:
        raise InputError(f"--limit: {limit} is none; write a number from 1 to {MOST:,}")
    source, wanted = Library().events.source, validated(Wanted, types=type, tenants=tenant, patterns=pattern)
    async with opened() as database:
        known = await latest(database, wanted, run, limit)
    if json:
        for event in known:
            out.out(event.body(source))
        return 0
    table = FittedTable(
        Column("time (UTC)", rank=2),
        Column("event"),
        Column("subject"),
        Column("tenant", rank=3),
        Column("pattern", rank=4),
        Column("what", rank=1),
        empty="no events",
    )
    for event in known:
        table.add_row(*_cells(event))
    out.print(table)
    return 0


@events.command
async def tail(
    *,
    type: Several = (),
    tenant: Several = (),
    pattern: Several = (),
    run: str | None = None,
    since: int | None = None,
) -> int:
    """Follow the events until Ctrl-C: as lines on a terminal, and as CloudEvents in JSON, one a line, elsewhere.

    Parameters
    ----------
    type
        Those of this type alone, such as run.failed, or of this kind, such as run.*; can be given again.
    tenant
        Those of this tenant alone; can be given again.
    pattern
        Those of this pattern alone; can be given again.
    run
        Those of the run with this id alone.
    since
        From behind the event of this number on, which 0 is before all; by default from now on.
    """
    source, wanted = Library().events.source, validated(Wanted, types=type, tenants=tenant, patterns=pattern)
    async with opened() as database:
        seq = await newest(database) if since is None else since
        while True:
            behind = await read_after(database, seq, PORTION)
            for event in behind:
                seq = event.seq or seq
                if (run is None or event.subject == run) and wanted.holds(event.type, event.tenant, event.pattern):
                    out.out("  ".join(_cells(event)) if out.is_terminal else event.body(source))
            if len(behind) < PORTION:
                await asyncio.sleep(PAUSE)


@events.command
async def subscribers() -> int:
    """List who is told of events, and how many each is behind."""
    library = Library()
    async with opened() as database:
        last, known = await newest(database), {one.name: one for one in await positions(database)}
    table = FittedTable(
        Column("subscriber"), Column("where"), Column("behind", number=True), Column("given up", number=True),
        empty="there are no subscribers",
    )  # fmt: skip
    where = {
        f"events/{name}": one.url or f"Redis stream {one.redis}" for name, one in library.events.subscribers.items()
    }
    where |= {f"alerts/{name}": one.kind for name, one in library.alerts.channels.items()}
    for name, place in where.items():
        position = known.get(name)
        behind, given_up = ("-", "-") if position is None else (f"{last - position.seq:,}", f"{position.given_up:,}")
        table.add_row(name, place, behind, given_up)
    out.print(table)
    return 0


@events.command
def secret(subscriber: str) -> int:
    """Print the secret by which a subscriber knows that events are ours; it is made of CONTINUO_WEBHOOK_KEY each time.

    Parameters
    ----------
    subscriber
        As `continuo events subscribers` calls it, such as events/billing or alerts/ops.
    """
    library = Library()
    names = [*(f"events/{name}" for name in library.events.subscribers)]
    names += [f"alerts/{name}" for name, one in library.alerts.channels.items() if one.kind == "webhook"]
    if subscriber not in names:
        raise unknown("subscriber", subscriber, names)
    out.out(secret_of(keys_of(environment())[0], subscriber))
    return 0


def _cells(event: Event) -> tuple[str, ...]:
    shown = ("summary", "status", "model", "error", "cost_usd", "decision", "period")
    what = ", ".join(str(event.data[name]) for name in shown if name in event.data)
    time = f"{event.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return time, event.type, event.subject, event.tenant or "-", event.pattern or "-", what
