"""`continuo costs` and `continuo budget` on the store of a data folder."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.starters.commands.budget import budget
from continuo.starters.commands.costs import costs
from continuo.starters.console.table import Form
from continuo.stores.journal import Journal
from continuo.stores.opened import open_store
from tests.support.commands import continuo
from tests.support.stores import record as keep

TENANTS = """
[tenants.acme]
daily_usd = 1.0

[tenants.globex]
daily_usd = 1.0

[tenants.initech]
daily_usd = 0.5
"""
ODD = "none-of.its_own"
USER = 'some, of "its" own'


@pytest.fixture
async def data(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in which three tenants have spent 75 %, 95 % and all of their day's money, and one nobody knows what."""
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    monkeypatch.setenv("CONTINUO_TENANTS", str(tmp_path / "tenants.toml"))
    database = open_store(Settings(), {})
    today = datetime.now(UTC).date()
    for tenant, usd in {"acme": 0.75, "globex": 0.95, "initech": 0.5, ODD: None}.items():
        usage = Usage(input_tokens=100_000, output_tokens=1_000)
        model = "sim-unpriced" if usd is None else "sim-mid"
        record = CallRecord(path="", model=model, provider="p", status="ok", usage=usage, cost_usd=usd)
        outcome = Outcome(text="", served_by="model", calls=(record,), simulated=True)
        context = Context(pattern="support", tenant=tenant, user=USER if tenant == ODD else None)
        await keep(Journal(database), tenant, outcome, context, today)
    await database.aclose()


@pytest.mark.usefixtures("data")
async def test_costs_are_told_for_people_for_programs_and_for_spreadsheets(capsys: pytest.CaptureFixture[str]) -> None:
    table = await continuo("costs")
    rows = [line.replace("│", " ").split() for line in table.out.splitlines()]
    assert ["acme", "1", "0", "1", "100,000/1,000", "0", "$0.750000", "$0.00", "$0.260000"] in rows
    assert ["total", "4", "1", "4", "400,000/4,000", "0", "$2.20", "$0.00", "$0.830000"] in rows
    assert any(row[-5:] == ["100,000/1,000", "0", "unknown", "$0.00", "unknown"] for row in rows)
    assert (table.code, table.err.count("\n")) == (0, 1)
    assert "calls of unknown price, which are not in the sums: 1; give their models one in the catalog" in table.err

    assert await costs(by="model", against="sim-free", form=Form(json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["against"], told["total"]["saved_usd"]) == ("sim-free", -2.2)
    assert [row["group"]["model"] for row in told["rows"]] == ["sim-mid", "sim-unpriced"]

    assert await costs(by="user", form=Form(csv=True)) == 0
    sheet = capsys.readouterr().out
    assert sheet.count("\r\n") == sheet.count("\n") == 5
    cells = list(csv.DictReader(io.StringIO(sheet)))
    assert (cells[0]["tenant"], cells[0]["user"], cells[0]["spent_usd"]) == ("acme", "", "0.75")
    assert (cells[3]["tenant"], cells[3]["user"], cells[3]["spent_usd"]) == (ODD, USER, "")


@pytest.mark.usefixtures("data")
async def test_budgets_are_told_with_a_warning_for_each_level(capsys: pytest.CaptureFixture[str]) -> None:
    table = await continuo("budget")
    row = next(line for line in table.out.splitlines() if "globex" in line)
    assert all(word in row for word in ("UTC", "$1.00", "$0.950000", "$0.050000", "95.0%"))
    warnings = [line.partition(" for ")[0] for line in table.err.splitlines()]
    assert warnings[:3] == [
        "warning: tenant 'acme' has used over 70 % of the $1.00",
        "warning: tenant 'globex' has used over 90 % of the $1.00",
        "warning: tenant 'initech' has used up the $0.500000",
    ]
    assert f"tenant {ODD!r} has made calls of unknown price, which no budget counts: 1" in warnings[3]

    assert await budget(tenant="acme", form=Form(json=True)) == 0
    told = capsys.readouterr()
    [acme] = json.loads(told.out)["rows"]
    assert (acme["utilisation"], acme["remaining_usd"], acme["warning"]) == (0.75, 0.25, "70 %")
    assert told.err.count("\n") == 1

    assert await budget(form=Form(csv=True)) == 0
    cells = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["tenant"], row["warning"]) for row in cells][2:] == [("initech", "spent"), (ODD, "")]


async def test_without_a_store_nothing_was_spent(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path / "new"))
    assert await costs(form=Form(json=True)) == 0
    told = capsys.readouterr()
    assert (told.err, json.loads(told.out)["rows"]) == ("", [])
    assert await budget(tenant="acme") == 0
    assert "acme" in capsys.readouterr().out


async def test_wrong_input_is_one_line_with_the_fix(environ: pytest.MonkeyPatch) -> None:
    found = await continuo("costs", "--since", "yesterday")
    assert (found.code, found.out) == (2, "")
    assert found.err == "error: since: 'yesterday' is no day; write it as 2026-11-21\n"
    for command in (costs, budget):
        with pytest.raises(InputError, match="--json and --csv: give one of them"):
            await command(form=Form(json=True, csv=True))


async def test_a_store_that_cannot_be_used_is_named(
    environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "continuo.db").write_text("no database", encoding="utf-8")
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    with pytest.raises(InputError, match="set CONTINUO_DATA to "):
        await costs()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(InputError, match="DATABASE_URL: cannot use the PostgreSQL server: ") as caught:
        await budget()
    assert "secret" not in str(caught.value)
