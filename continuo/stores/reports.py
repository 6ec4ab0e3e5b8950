"""Sums over the ledger and the day's accounts, in SQL, and the reports made of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from continuo.authoring.library import Library
from continuo.config.catalog import Model
from continuo.config.tenants import Tenants
from continuo.messages import Usage
from continuo.operations.reports import GROUPS, Costs, Day, Days, Query, Sums, baseline, costs, day_of
from continuo.stores.database import Database, Row

_TOKENS = ("input_tokens", "output_tokens", "cached_tokens")
_SUMS = ", ".join(
    (
        "COUNT(*) AS calls",
        "COUNT(cost_nanousd) AS priced",
        "SUM(simulated) AS simulated",
        "SUM(cost_nanousd) AS nanousd",
        "SUM(CASE WHEN estimated = 1 THEN cost_nanousd END) AS estimated_nanousd",
        *(f"SUM({name}) AS {name}" for name in _TOKENS),
        *(f"SUM(CASE WHEN cost_nanousd IS NULL THEN 0 ELSE {name} END) AS priced_{name}" for name in _TOKENS),
    )
)
# One statement, so that a call which is settled meanwhile is either reserved or spent.
_TODAY = (
    "SELECT tenant, day, SUM(spent) AS spent, SUM(reserved) AS reserved FROM ("
    "SELECT tenant, day, spent_nanousd AS spent, 0 AS reserved FROM accounts WHERE day >= ? UNION ALL"
    " SELECT tenant, day, 0, nanousd FROM reservations WHERE day >= ?) AS money GROUP BY tenant, day"
)


async def report(database: Database, query: Query, library: Library, now: datetime) -> Costs | Days:
    """What answers the query. Raises `InputError` for a model that it cannot be counted against."""
    against = baseline(query.against, library.catalog, library.environ, simulated=library.settings.simulated)
    if query.kind == "costs":
        return await _costs(database, query, against)
    return await _budget(database, query.tenant, library.tenants, against, now)


async def _costs(database: Database, query: Query, against: Model) -> Costs:
    columns = GROUPS[query.by]
    by_group = await _sums(database, columns, {"tenant =": query.tenant, "day >=": query.since, "day <=": query.until})
    return costs({tuple(zip(columns, group, strict=True)): sums for group, sums in by_group.items()}, against)


async def _budget(database: Database, tenant: str | None, tenants: Tenants, against: Model, now: datetime) -> Days:
    # Somewhere it may still be yesterday.
    first = (now.astimezone(UTC) - timedelta(days=1)).date().isoformat()
    rows = await database.read(_TODAY, (first, first))
    money = {(row["tenant"], row["day"]): (int(row["spent"]), int(row["reserved"])) for row in rows}
    sums = await _sums(database, ("tenant", "day"), {"tenant =": tenant, "day >=": first})

    def day(name: str) -> Day:
        account = tenants.of(name)
        today = account.day(now)
        key = (name, today.isoformat())
        spent, reserved = money.get(key, (0, 0))
        return day_of(name, account, today, spent=spent, reserved=reserved, sums=sums.get(key, Sums()), against=against)

    active = {name for name, day in money if day == tenants.of(name).day(now).isoformat()}
    names = {tenant} if tenant else {*tenants.tenants, *active}
    return Days(against=against.id, rows=tuple(map(day, sorted(names))))


async def by_step(database: Database, pattern: str, tenant: str | None, since: date) -> dict[str, Sums]:
    """The sums of a pattern's calls since that day, by the path of their step; `tenant` None is all of them."""
    by_group = await _sums(database, ("path",), {"pattern =": pattern, "tenant =": tenant, "day >=": since})
    return {path or "": sums for (path,), sums in by_group.items()}


async def _sums(
    database: Database, columns: tuple[str, ...], conditions: Mapping[str, object]
) -> dict[tuple[str | None, ...], Sums]:
    """The sums of each group of rows that meet the conditions, in the groups' order; None sets no condition."""
    names = ", ".join(f'"{column}"' for column in columns)
    wanted = {condition: str(value) for condition, value in conditions.items() if value is not None}
    where = " AND ".join(f"{condition} ?" for condition in wanted) or "1 = 1"
    sql = f"SELECT {names}, {_SUMS} FROM ledger WHERE {where} GROUP BY {names}"
    rows = await database.read(sql, tuple(wanted.values()))
    sums = {tuple(row[column] for column in columns): _read(row) for row in rows}
    # Each store has an order of its own for texts and for what is missing.
    return dict(sorted(sums.items(), key=lambda item: tuple((name is not None, name or "") for name in item[0])))


def _read(row: Row) -> Sums:
    # PostgreSQL's sums are Decimals.
    return Sums(
        calls=row["calls"],
        unknown=row["calls"] - row["priced"],
        simulated=int(row["simulated"]),
        usage=Usage(**{name: int(row[name]) for name in _TOKENS}),
        known=Usage(**{name: int(row[f"priced_{name}"]) for name in _TOKENS}),
        nanousd=int(row["nanousd"] or 0),
        estimated=int(row["estimated_nanousd"] or 0),
    )
