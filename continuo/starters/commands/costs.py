"""`continuo costs`: what was spent, by whom and on what."""

from datetime import UTC, datetime

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.operations.reports import GROUPS, By, Cost, Costs, Query
from continuo.starters.console.completion import ModelName
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import err
from continuo.starters.store import opened
from continuo.stores.reports import report

_SUMS = tuple(name for name in Cost.model_fields if name != "group")
_FIGURES = (
    Column("calls", rank=2, number=True),
    Column("unpriced", rank=5, number=True),
    Column("simulated", rank=7, number=True),
    Column("tokens in/out", rank=4, number=True),
    Column("cached", rank=6, number=True),
    Column("spent", number=True),
    Column("estimated", rank=3, number=True),
    Column("saved", rank=1, number=True),
)


async def costs(
    *,
    by: By = "tenant",
    since: str | None = None,
    until: str | None = None,
    tenant: str | None = None,
    against: ModelName = "premium",
    form: Form | None = None,
) -> int:
    """Tell what the calls cost, and what was saved against a dearer model.

    Parameters
    ----------
    by
        What the rows are of.
    since
        From this day on, such as 2026-11-21. Days are the tenant's own.
    until
        To this day, itself included.
    tenant
        The calls of this tenant alone.
    against
        The model, or the alias of one, whose price the saving is counted by.
    """
    form = form or Form()
    form.check()
    query = validated(Query, kind="costs", by=by, since=since, until=until, tenant=tenant, against=against)
    async with opened() as database:
        result = await report(database, query, Library(), datetime.now(UTC))
    assert isinstance(result, Costs)
    columns = GROUPS[by]
    rows = [{**row.group, **row.model_dump(include=set(_SUMS))} for row in result.rows]
    form.show(result, (*columns, *_SUMS), rows, _table(result, columns))
    if unknown := result.total.unknown_calls:
        advice = "give their models one in the catalog (continuo costs --by model)"
        err.print(f"warning: calls of unknown price, which are not in the sums: {unknown:,}; {advice}")
    return 0


def _table(costs: Costs, columns: tuple[str, ...]) -> FittedTable:
    groups = (Column(name) for name in columns)
    table = FittedTable(*groups, *_FIGURES, note=f"saved: against {costs.against}")
    for row in costs.rows:
        table.add_row(*(row.group[name] or "-" for name in columns), *_cells(row))
    table.set_total("total", *([""] * (len(columns) - 1)), *_cells(costs.total))
    return table


def _cells(row: Cost) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (row.calls, row.unknown_calls, row.simulated_calls))
    tokens = f"{row.input_tokens:,}/{row.output_tokens:,}"
    return (
        *counts,
        tokens,
        f"{row.cached_tokens:,}",
        money(row.spent_usd),
        money(row.estimated_usd),
        money(row.saved_usd),
    )
