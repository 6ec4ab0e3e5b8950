"""`continuo batch`: one pattern over many items, each a run of its own, and none of them twice."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.data import Data
from continuo.decisions.off_peak import OffPeak, off_peak
from continuo.errors import InputError
from continuo.jobs import Context, Priority
from continuo.operations.batches import MAX_WINDOW, AtProvider, BatchId, BatchRow, BatchRows, Tally, Terms
from continuo.starters.batch_items import digest, read_items
from continuo.starters.batch_results import write_results
from continuo.starters.batches import followed, opened_batches
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import err, out
from continuo.starters.options import RunOptions
from continuo.starters.parquet import is_parquet
from continuo.stores.batches import BatchStore

if TYPE_CHECKING:
    from continuo.door.batches import Batches

batch = App(name="batch", help="Run one pattern over many items: begin, list, show, cancel, go on.")


def _writable(type_: object, output: Path | None) -> None:
    if output is not None:
        is_parquet(output)


Output = Annotated[Path | None, Parameter(name=["--output", "-o"], validator=_writable)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BatchOptions(RunOptions):
    """For whom the items are run."""

    priority: Priority = "batch"
    "Which pool runs them."


class Named(Data):
    id: BatchId


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Pace:
    """How quickly the items are begun, and until when."""

    window: int = 50
    "So many items are under way at once."
    budget: float | None = None
    "Begin no more items when this many USD are spent."
    off_peak: str | None = None
    "Begin items only in these hours of the tenant's zone, such as 22:00-06:00."
    zone: str | None = None
    "The time zone of --off-peak, where it is not the tenant's."

    def terms(self, library: Library, pattern: str, context: Context) -> Terms:
        """Raises `InputError` for a wrong value, and for a pattern that cannot run here."""
        if not 1 <= self.window <= MAX_WINDOW:
            raise InputError(f"--window: {self.window} is not between 1 and {MAX_WINDOW}; 50 is a good one")
        budget = None if self.budget is None else _budget(self.budget)
        step = library.step(pattern)
        context = context.model_copy(update={"pattern": pattern})
        hours = self._hours(library.tenants.of(context.tenant).zone)
        return validated(Terms, step=step, context=context, window=self.window, budget_usd=budget, off_peak=hours)

    def _hours(self, zone: str) -> OffPeak | None:
        if self.off_peak is None:
            if self.zone is not None:
                raise InputError("--zone is that of --off-peak, which is missing; give both, or neither")
            return None
        try:
            return off_peak(self.off_peak, self.zone or zone)
        except ValueError as error:
            raise InputError(f"--off-peak: {' '.join(str(error).split())}") from None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Place:
    """Whether the items are runs of ours, or go into batches of the provider's own."""

    provider_batch: Annotated[bool, Parameter(negative=())] = False
    "Ask by batches of the model's provider, at the price it has for them: within a day, not at once."
    within: str | None = None
    "With --provider-batch: ask by single calls for what is missing when this long, such as 12h, is nearly over."

    def terms(self, terms: Terms) -> Terms:
        """The same terms there. Raises `InputError` for what does not go together."""
        if not self.provider_batch:
            if self.within is not None:
                raise InputError("--within is that of --provider-batch, which is missing; give both, or neither")
            return terms
        if terms.off_peak is not None:
            raise InputError("--off-peak: a provider does its batches when it likes; leave it out")
        if terms.context.deadline is not None:
            raise InputError("--deadline is that of a run, and a provider's batch has none; give --within")
        return terms.model_copy(update={"at_provider": validated(AtProvider, within=self.within)})


def _budget(usd: float) -> float:
    if not 0 < usd <= 1e9:
        raise InputError(f"--budget: {usd:g} is no sum of money; write USD, such as 2.50")
    return usd


@batch.command
async def run(
    pattern: Runnable,
    items: Path,
    *,
    output: Output = None,
    id: str | None = None,
    system: str | None = None,
    pace: Pace | None = None,
    place: Place | None = None,
    options: BatchOptions | None = None,
) -> int:
    """Run a pattern over the items of a file. The same command again goes on where it was, and does nothing twice.

    Parameters
    ----------
    pattern
        A named pattern, a YAML file, or model:ID.
    items
        JSONL: a line is a text, or an object with prompt, messages, system, data, parameters and id, as needed. Or CSV
        with a header, or Parquet: prompt, system and id are these, and all other columns are data.
    output
        Write a line of JSON for each item that has ended to this file, in the order of the items, at the end; or a row,
        where it ends with .parquet.
    id
        The name of the batch; it is made of the items and the pattern if none is given.
    system
        Instructions for the model, for items that have none of their own.
    """
    options, pace = options or BatchOptions(), pace or Pace()
    if output is not None and output.exists() and items.exists() and output.samefile(items):
        raise InputError(f"--output {output} is the file of the items; name another one")
    library = Library()
    terms = (place or Place()).terms(await asyncio.to_thread(pace.terms, library, pattern, options.context()))
    # What the results depend on: other items, or another pattern, are another batch.
    how = Terms(step=terms.step, context=terms.context).model_dump_json()
    items_digest = await asyncio.to_thread(digest, items, how, system or "")
    batch_id = validated(Named, id=id or items_digest[:12]).id
    async with opened_batches(library) as (batches, store):
        lines = read_items(items, pattern, system)
        begun = await batches.submit(batch_id, items_digest, terms, str(items), lines)
        return await _followed(batches, store, begun, output, options)


@batch.command(name="list")
@batch.default
async def list_batches(*, tenant: str | None = None, limit: int = 50, form: Form | None = None) -> int:
    """List the batches, the newest first.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    limit
        So many at most.
    """
    form = form or Form()
    form.check()
    async with opened_batches(Library()) as (_, store):
        rows = await store.listed(tenant, limit)
    cells = [{**row.model_dump(mode="json", exclude={"tally"}), **row.tally.model_dump()} for row in rows]
    columns = (*(name for name in BatchRow.model_fields if name != "tally"), *Tally.model_fields)
    form.show(BatchRows(rows=tuple(rows)), columns, cells, _table(rows))
    return 0


@batch.command
async def show(id: str, *, output: Output = None, options: BatchOptions | None = None) -> int:
    """Show a batch as it is now.

    Parameters
    ----------
    id
        The batch's.
    output
        Write the results that there are to this file.
    """
    options = options or BatchOptions()
    async with opened_batches(Library()) as (batches, store):
        known = await _named(store, id, options.tenant)
        return await _shown(batches, store, known, output, json=options.json)


@batch.command
async def cancel(id: str, *, now: Annotated[bool, Parameter(negative=())] = False, tenant: str = "default") -> int:
    """Begin no more items of a batch; those under way end as they would.

    Parameters
    ----------
    id
        The batch's.
    now
        Cancel those under way too.
    tenant
        Whose batch it is.
    """
    async with opened_batches(Library()) as (batches, store):
        known = await _named(store, id, tenant)
        if not await batches.stop(known, now=now):
            raise InputError(f"batch {id} is not running; see `continuo batch show {id}`")
    out.print(f"batch {id} begins no more items; go on with: continuo batch resume {id}")
    return 0


@batch.command
async def resume(
    id: str, *, output: Output = None, budget: float | None = None, options: BatchOptions | None = None
) -> int:
    """Go on with a batch that was cancelled, or whose budget was spent.

    Parameters
    ----------
    id
        The batch's.
    output
        Write the results to this file at the end.
    budget
        Begin no more items when this many USD are spent, with what has been spent before.
    """
    options = options or BatchOptions()
    async with opened_batches(Library()) as (batches, store):
        known = await _named(store, id, options.tenant)
        terms = await store.terms(known.tenant, known.id)
        if budget is not None:
            terms = terms.model_copy(update={"budget_usd": _budget(budget)})
        return await _followed(batches, store, await batches.resume(known, terms), output, options)


@batch.command
async def rerun_failed(id: str, *, output: Output = None, options: BatchOptions | None = None) -> int:
    """Run the items of a batch again that failed, and those that were cancelled; no other.

    Parameters
    ----------
    id
        The batch's.
    output
        Write the results to this file at the end.
    """
    options = options or BatchOptions()
    async with opened_batches(Library()) as (batches, store):
        known = await _named(store, id, options.tenant)
        return await _followed(batches, store, await batches.rerun_failed(known), output, options)


async def _named(store: BatchStore, id: str, tenant: str) -> BatchRow:
    known = await store.get(tenant, id)
    if known is None:
        whose = f"of tenant {tenant!r}; name another with --tenant"
        raise InputError(f"no batch {id[:100]!r} {whose}, or see `continuo batch list`")
    return known


async def _followed(
    batches: "Batches", store: BatchStore, batch: BatchRow, output: Path | None, options: BatchOptions
) -> int:
    """Show a batch until its end, and write its results; the exit code: 0 where every item has an answer."""
    if options.detach:
        out.print(f"batch {batch.id} is {batch.state}; see `continuo batch show {batch.id}`")
        return 0
    batch = await followed(batches, store, batch)
    return await _shown(batches, store, batch, output, json=options.json)


async def _shown(batches: "Batches", store: BatchStore, batch: BatchRow, output: Path | None, *, json: bool) -> int:
    if output is not None:
        count = await write_results(store, batch, await batches.restoring(batch), output)
        err.print(f"{count:,} results are in {output}")
    if json:
        out.out(batch.model_dump_json(indent=2))
    else:
        out.print(_table([batch]))
    for line in _advice(batch):
        err.print(line)
    return 0 if batch.tally.done == batch.tally.items else 1


def _advice(batch: BatchRow) -> Iterator[str]:
    tally, more = batch.tally, f"continuo batch resume {batch.id}"
    if batch.state == "spent":
        yield f"the budget is spent, with {tally.waiting:,} items not begun; go on with: {more} --budget USD"
    elif batch.state in ("stopped", "cancelled") and tally.done + tally.failed < tally.items:
        yield f"{tally.items - tally.done - tally.failed:,} items have no result; go on with: {more}"
    if tally.failed and batch.state != "running":
        yield f"{tally.failed:,} items failed; run them again with: continuo batch rerun-failed {batch.id}"
    if tally.unpriced:
        yield f"warning: the cost of {tally.unpriced:,} items is unknown; give their models a price in the catalog"


def _table(rows: Sequence[BatchRow]) -> FittedTable:
    table = FittedTable(
        Column("batch"),
        Column("began (UTC)", rank=3),
        Column("tenant", rank=4),
        Column("pattern", rank=2),
        Column("state"),
        Column("items", number=True),
        Column("done", number=True),
        Column("failed", number=True),
        Column("cancelled", rank=5, number=True),
        Column("cost", rank=1, number=True),
        empty="no batches",
    )
    for row in rows:
        tally = row.tally
        counts = (tally.items, tally.done, tally.failed, tally.cancelled)
        began = f"{row.created:%Y-%m-%d %H:%M:%S}"
        numbers = [f"{count:,}" for count in counts]
        table.add_row(row.id, began, row.tenant, row.pattern, row.state, *numbers, money(tally.cost_usd))
    return table
