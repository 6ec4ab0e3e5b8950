"""`continuo schedule`: a pattern that is run again and again, by Temporal's schedules."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from cyclopts import App, Parameter
from pydantic import TypeAdapter, ValidationError

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.operations.schedules import Overlap, ScheduleRow, ScheduleRows, Times
from continuo.starters.batch_items import digest, read_items
from continuo.starters.commands.batch import Pace, Place
from continuo.starters.commands.run import read_data, read_prompt, requested
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import out
from continuo.starters.options import Whom
from continuo.starters.store import opened
from continuo.stores.batches import BatchStore

if TYPE_CHECKING:
    from continuo.door.schedules import Schedules

schedule = App(name="schedule", help="Run a pattern again and again: create, list, show, pause, trigger, delete.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class When:
    """When it is run."""

    cron: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    "Minute, hour, day, month and weekday, such as '0 6 * * 1-5'; may be given several times."
    every: str | None = None
    "Once in so long, such as 90s, 15m, 1h or 1d."
    zone: str | None = None
    "The time zone of --cron and --off-peak, such as Europe/Berlin; the tenant's, if none is given."
    starting: str | None = None
    "Not before this time, such as 2027-01-01T00:00:00Z."
    ending: str | None = None
    "Not after this time."
    jitter: str | None = None
    "Each later by up to so long, at random."
    overlap: Overlap = "skip"
    "While the run before is under way: skip, queue behind it, or cancel it."
    catch_up: str = "1h"
    "Make up for what was missed in so long, because no server ran."

    def times(self, zone: str) -> Times:
        """Raises `InputError` for what is no time."""
        return validated(
            Times,
            cron=self.cron,
            every=self.every,
            zone=self.zone or zone,
            starting=_time("starting", self.starting),
            ending=_time("ending", self.ending),
            jitter=self.jitter,
            catch_up=self.catch_up,
            overlap=self.overlap,
        )


def _time(name: str, text: str | None) -> datetime | None:
    try:
        return TypeAdapter(datetime | None).validate_python(text)
    except ValidationError:
        raise InputError(f"--{name}: {text!r} is no time; write one such as 2027-01-01T00:00:00Z") from None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ItemOptions:
    """For a batch: its items, and how quickly they are begun, each time."""

    items: Path | None = None
    "Run a batch of the items in this file, as they are now: JSONL, CSV or Parquet, see `continuo batch run`."
    window: int | None = None
    "So many items are under way at once, 50 if nothing is given."
    budget: float | None = None
    "Begin no more items when this many USD are spent."
    off_peak: str | None = None
    "Begin items only in these hours of --zone, such as 22:00-06:00."

    def pace(self, zone: str) -> Pace:
        return Pace(
            window=50 if self.window is None else self.window,
            budget=self.budget,
            off_peak=self.off_peak,
            zone=zone if self.off_peak is not None else None,
        )

    def check(self, place: Place) -> None:
        """Raises `InputError` where there is no batch."""
        given = {
            "window": self.window,
            "budget": self.budget,
            "off-peak": self.off_peak,
            "provider-batch": place.provider_batch or None,
            "within": place.within,
        }
        for name, value in given.items():
            if self.items is None and value is not None:
                raise InputError(f"--{name} is a batch's; give --items FILE, or leave it out")


@schedule.command
async def create(
    name: str,
    pattern: Runnable,
    prompt: str | None = None,
    *,
    input: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    data: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    system: str | None = None,
    replace: Annotated[bool, Parameter(negative=())] = False,
    batch: ItemOptions | None = None,
    place: Place | None = None,
    when: When | None = None,
    whom: Whom | None = None,
) -> int:
    """Plan a request, or a batch. It is checked now, and again each time: pattern, tenant and prices are those of then.

    Parameters
    ----------
    name
        What the schedule is called; each tenant has names of its own.
    pattern
        A named pattern, or model:ID.
    prompt
        The question; with --data or --items it may be left out.
    input
        Read the question from this file instead, now; - is standard input.
    data
        Send the JSON object in this file, as it is now, to the pattern's services; - is standard input.
    system
        Instructions for the model, in place of the pattern's own.
    replace
        Take the place of the tenant's schedule of this name.
    """
    library, when, batch, place = Library(), when or When(), batch or ItemOptions(), place or Place()
    batch.check(place)
    context = (whom or Whom()).context()
    times = when.times(library.tenants.of(context.tenant).zone)
    if batch.items is not None:
        if prompt is not None or input is not None or data is not None:
            raise InputError("--items has the questions and the data; leave out the prompt, --input and --data")
        terms = place.terms(await asyncio.to_thread(batch.pace(times.zone).terms, library, pattern, context))
        items_digest = await asyncio.to_thread(digest, batch.items, terms.model_dump_json(), system or "")
        lines = read_items(batch.items, pattern, system)
        async with _schedules(library) as schedules:
            await schedules.create_batch(name, terms, items_digest, str(batch.items), lines, times, replace=replace)
            row = (await schedules.show(context.tenant, name)).schedule
    else:
        text = None if data and prompt is None and input is None else read_prompt(prompt, input)
        request = requested(pattern=pattern, prompt=text, data=read_data(data) if data else None, system=system)
        from continuo.door.schedules import Planned

        planned = validated(Planned, name=name, request=request, context=context)
        async with _schedules(library) as schedules:
            await schedules.create(planned, times, replace=replace)
            row = (await schedules.show(context.tenant, name)).schedule
    out.print(f"schedule {name} runs {row.pattern}: {row.times}; next {_next(row)}")
    return 0


@schedule.command(name="list")
@schedule.default
async def list_schedules(*, tenant: str | None = None, form: Form | None = None) -> int:
    """List the schedules, by tenant and name.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    """
    form = form or Form()
    form.check()
    whose = None if tenant is None else Whom(tenant=tenant).context().tenant
    async with _schedules(Library()) as schedules:
        rows = [row async for row in schedules.listed(whose)]
    rows.sort(key=lambda row: (row.tenant, row.name))
    cells = [row.model_dump(mode="json") for row in rows]
    form.show(ScheduleRows(schedules=tuple(rows)), tuple(ScheduleRow.model_fields), cells, _table(rows))
    return 0


@schedule.command
async def show(name: str, *, tenant: str = "default", json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show a schedule with its last times.

    Parameters
    ----------
    name
        The schedule's.
    tenant
        Whose it is.
    json
        Print it as JSON, whole.
    """
    async with _schedules(Library()) as schedules:
        shown = await schedules.show(tenant, name)
    if json:
        out.out(shown.model_dump_json(indent=2))
        return 0
    out.print(_table([shown.schedule]))
    out.print(f"{shown.fired:,} times, {shown.skipped:,} skipped, {shown.missed:,} missed")
    columns = (Column("planned (UTC)"), Column("status"), Column("run"), Column("why", rank=1))
    table = FittedTable(*columns, empty="it has not run yet")
    for one in shown.times:
        table.add_row(f"{one.scheduled:%Y-%m-%d %H:%M:%S}", one.status, one.run or "none", one.why or "")
    out.print(table)
    return 0


@schedule.command
async def pause(name: str, *, note: str = "", tenant: str = "default") -> int:
    """Run it no more until it is resumed; what is under way goes on.

    Parameters
    ----------
    name
        The schedule's.
    note
        Why, for the list.
    tenant
        Whose it is.
    """
    async with _schedules(Library()) as schedules:
        await schedules.pause(tenant, name, note)
    out.print(f"schedule {name} is paused; go on with: continuo schedule resume {name}")
    return 0


@schedule.command
async def resume(name: str, *, tenant: str = "default") -> int:
    """Go on with a schedule that is paused.

    Parameters
    ----------
    name
        The schedule's.
    tenant
        Whose it is.
    """
    async with _schedules(Library()) as schedules:
        await schedules.resume(tenant, name)
    out.print(f"schedule {name} goes on")
    return 0


@schedule.command
async def trigger(name: str, *, tenant: str = "default") -> int:
    """Run it now, also while it is paused.

    Parameters
    ----------
    name
        The schedule's.
    tenant
        Whose it is.
    """
    async with _schedules(Library()) as schedules:
        await schedules.trigger(tenant, name)
    out.print(f"schedule {name} runs; see `continuo schedule show {name}`")
    return 0


@schedule.command
async def delete(name: str, *, tenant: str = "default") -> int:
    """Forget a schedule; its runs stay, and what is under way goes on.

    Parameters
    ----------
    name
        The schedule's.
    tenant
        Whose it is.
    """
    async with _schedules(Library()) as schedules:
        await schedules.delete(tenant, name)
    out.print(f"schedule {name} is deleted")
    return 0


@asynccontextmanager
async def _schedules(library: Library) -> AsyncIterator["Schedules"]:
    from continuo.door import Door
    from continuo.door.schedules import Schedules
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    async with opened() as database:
        client = await connect()
        yield Schedules(Door(client, library), BatchStore(database, (await namespace_of(client)).id))


def _next(row: ScheduleRow) -> str:
    if row.paused:
        return f"paused: {row.note}".removesuffix(": ")
    return f"{row.next[0].astimezone(ZoneInfo(row.zone)):%Y-%m-%d %H:%M:%S %Z}" if row.next else "never"


def _table(rows: Sequence[ScheduleRow]) -> FittedTable:
    table = FittedTable(
        Column("schedule"),
        Column("tenant", rank=3),
        Column("pattern", rank=2),
        Column("when"),
        Column("next"),
        Column("last (UTC)", rank=4),
        Column("status", rank=1),
        empty="no schedules",
    )
    for row in rows:
        last = f"{row.last:%Y-%m-%d %H:%M:%S}" if row.last else ""
        table.add_row(row.name, row.tenant, row.pattern, row.times, _next(row), last, row.last_status or "")
    return table
