"""The contract of reports, on every SQL store."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.config.settings import Settings
from continuo.jobs import CallRecord, Context, KeyTerms, Outcome
from continuo.messages import Usage
from continuo.operations.reports import By, Costs, Days, Query
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.reports import report
from tests.support.stores import record as keep

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
DAY, NEXT = date(2026, 11, 21), date(2026, 11, 22)
TENANTS = """
[tenants.acme]
daily_usd = 1.0

[tenants.berlin]
daily_usd = 2.0
zone = "Europe/Berlin"

[tenants.idle]
"""


async def call(database: Database, tenant: str, usd: float | None, *, day: date = DAY, **fields: str | bool) -> None:
    """One call of 1,000 tokens in, 500 of them cached, and 100 out."""
    usage = Usage(input_tokens=1000, output_tokens=100, cached_tokens=500)
    model, user = str(fields.get("model", "m")), fields.get("user")
    record = CallRecord(path="", model=model, provider="p", status="ok", usage=usage, cost_usd=usd)
    found = Outcome(text="", served_by="model", calls=(record,), simulated=bool(fields.get("simulated")))
    key = KeyTerms(id="abcdefghijkl") if fields.get("key") else None
    pattern = str(fields.get("pattern", "support"))
    context = Context(pattern=pattern, tenant=tenant, user=str(user) if user else None, key=key)
    identity = f"{tenant}/{len(await database.read('SELECT identity FROM ledger'))}"
    await keep(Journal(database), identity, found, context, day)


async def reserve(budgets: Budgets, identity: str, tenant: str, day: date, usd: float, expires: float) -> None:
    """Ten seconds before it expires."""
    wanted = Reservation(identity=identity, attempt=1, tenant=tenant, day=day, usd=usd, expires=expires)
    assert await budgets.reserve(wanted, limit=100, now=expires - 10) is None


async def asked(database: Database, folder: Path, **fields: object) -> Costs | Days:
    (folder / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    query = validated(Query, against="sim-premium", **fields)
    return await report(database, query, Library(Settings(tenants=folder / "tenants.toml"), {}), NOW)


async def costs(database: Database, folder: Path, **fields: object) -> Costs:
    found = await asked(database, folder, kind="costs", **fields)
    assert isinstance(found, Costs)
    return found


@pytest.fixture
async def filled(database: Database) -> Database:
    await call(database, "acme", 0.001, user="ada", model="sim-mid")
    await call(database, "acme", 0.002, day=NEXT, model="sim-mid", pattern="answer", key=True)
    await call(database, "globex", None, user="ada", model="sim-unpriced", simulated=True)
    return database


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("tenant", [("acme",), ("globex",)]),
        ("user", [("acme", None), ("acme", "ada"), ("globex", "ada")]),
        ("key", [("acme", None), ("acme", "abcdefghijkl"), ("globex", None)]),
        ("model", [("sim-mid",), ("sim-unpriced",)]),
        ("pattern", [("answer",), ("support",)]),
        ("day", [("2026-11-21",), ("2026-11-22",)]),
    ],
)
async def test_calls_are_summed_by_whatever_they_share(
    filled: Database, tmp_path: Path, by: By, groups: list[tuple[str | None, ...]]
) -> None:
    found = await costs(filled, tmp_path, by=by)
    assert [tuple(row.group.values()) for row in found.rows] == groups
    assert found.total == (await costs(filled, tmp_path)).total
    assert sum(row.calls for row in found.rows) == found.total.calls == 3


async def test_a_row_tells_tokens_money_and_what_is_unknown(filled: Database, tmp_path: Path) -> None:
    acme, globex = (await costs(filled, tmp_path)).rows
    assert (acme.calls, acme.input_tokens, acme.output_tokens, acme.cached_tokens) == (2, 2000, 200, 1000)
    assert (acme.spent_usd, acme.unknown_calls, acme.simulated_calls) == (0.003, 0, 0)
    # 2,200 tokens at $10 a million.
    assert acme.saved_usd == pytest.approx(0.022 - 0.003)
    assert (globex.spent_usd, globex.saved_usd, globex.unknown_calls, globex.simulated_calls) == (None, None, 1, 1)


async def test_costs_are_of_the_days_and_the_tenant_that_are_asked_for(filled: Database, tmp_path: Path) -> None:
    assert (await costs(filled, tmp_path, until=DAY)).total.calls == 2
    assert (await costs(filled, tmp_path, since=NEXT, until="2026-11-22")).total.spent_usd == 0.002
    assert (await costs(filled, tmp_path, tenant="acme", until=DAY)).total.spent_usd == 0.001
    nothing = await costs(filled, tmp_path, tenant="nobody")
    assert (nothing.rows, nothing.total.calls, nothing.total.spent_usd, nothing.total.saved_usd) == ((), 0, 0, 0)


async def test_a_budget_is_of_each_tenants_own_day(filled: Database, tmp_path: Path) -> None:
    """At 23:30 UTC it is tomorrow in Berlin."""
    budgets, now = Budgets(filled), NOW.timestamp()
    await call(filled, "berlin", 1.5, day=NEXT)
    await call(filled, "berlin", 0.1, day=DAY)
    await reserve(budgets, "a", "acme", DAY, 0.75, now + 10)
    await reserve(budgets, "dead", "berlin", NEXT, 0.4, now - 10)
    await reserve(budgets, "new", "newcomer", DAY, 0.1, now + 10)
    found = await asked(filled, tmp_path, kind="budget")
    assert isinstance(found, Days)
    rows = {row.tenant: row for row in found.rows}
    assert list(rows) == ["acme", "berlin", "globex", "idle", "newcomer"]
    acme, berlin, globex, newcomer = (rows[name] for name in ("acme", "berlin", "globex", "newcomer"))
    assert (acme.day, acme.spent_usd, acme.reserved_usd, acme.warning) == (DAY, 0.001, 0.75, "70 %")
    assert acme.remaining_usd == pytest.approx(0.249)
    assert (berlin.day, berlin.zone, berlin.spent_usd, berlin.reserved_usd) == (NEXT, "Europe/Berlin", 1.5, 0)
    assert (berlin.utilisation, berlin.warning) == (0.75, "70 %")
    assert (globex.daily_usd, globex.utilisation, globex.unknown_calls) == (None, None, 1)
    assert (newcomer.spent_usd, newcomer.reserved_usd) == (0, 0.1)


async def test_a_tenant_that_is_asked_for_is_told_also_when_it_did_nothing(database: Database, tmp_path: Path) -> None:
    found = await asked(database, tmp_path, kind="budget", tenant="nobody")
    assert isinstance(found, Days)
    assert [(row.tenant, row.spent_usd, row.saved_usd) for row in found.rows] == [("nobody", 0, 0)]
