"""`continuo budget`: what is left of each tenant's money for its day."""

from datetime import UTC, datetime

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.operations.reports import Day, Days, Query
from continuo.starters.console.completion import ModelName
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.table import Form
from continuo.starters.console.terminal import err
from continuo.starters.store import opened
from continuo.stores.reports import report

_COLUMNS = (
    Column("tenant"),
    Column("day", rank=4),
    Column("budget", rank=2, number=True),
    Column("spent", number=True),
    Column("reserved", rank=5, number=True),
    Column("remaining", rank=1, number=True),
    Column("used", rank=3, number=True),
    Column("saved", rank=6, number=True),
)


async def budget(*, tenant: str | None = None, against: ModelName = "premium", form: Form | None = None) -> int:
    """Tell what each tenant has spent and reserved of its budget today; warn from 70 % and 90 % on.

    Parameters
    ----------
    tenant
        This one alone.
    against
        The model, or the alias of one, whose price the saving is counted by.
    """
    form = form or Form()
    form.check()
    query = validated(Query, kind="budget", tenant=tenant, against=against)
    async with opened() as database:
        result = await report(database, query, Library(), datetime.now(UTC))
    assert isinstance(result, Days)
    form.show(result, tuple(Day.model_fields), [row.model_dump() for row in result.rows], _table(result))
    for row in result.rows:
        if row.warning:
            err.print(f"warning: {_warned(row)}")
        if row.unknown_calls:
            unpriced = f"calls of unknown price, which no budget counts: {row.unknown_calls:,}"
            err.print(f"warning: tenant {row.tenant!r} has made {unpriced}; give their models one in the catalog")
    return 0


def _table(days: Days) -> FittedTable:
    note = f"used: spent or reserved; saved: against {days.against}"
    table = FittedTable(*_COLUMNS, empty="no tenant has a budget, and none has made a call today", note=note)
    for row in days.rows:
        table.add_row(
            row.tenant,
            f"{row.day} {row.zone}",
            _limit(row.daily_usd),
            money(row.spent_usd),
            money(row.reserved_usd),
            _limit(row.remaining_usd),
            "-" if row.utilisation is None else f"{row.utilisation:.1%}",
            money(row.saved_usd),
        )
    return table


def _limit(usd: float | None) -> str:
    return "none" if usd is None else money(usd)


def _warned(row: Day) -> str:
    whose = f"tenant {row.tenant!r}"
    of = f"{_limit(row.daily_usd)} for {row.day} ({row.zone})"
    if row.warning == "spent":
        return f"{whose} has used up the {of}; only free models answer; raise daily_usd in config/tenants.toml"
    return f"{whose} has used over {row.warning} of the {of}: {money(row.remaining_usd)} remain"
