"""Each fact is counted once, where it is established."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.jobs import CallRecord, Context, Outcome
from continuo.messages import Usage
from continuo.operations.audit import Entry
from continuo.operations.metrics import Meter
from continuo.operations.runs import RunRow
from continuo.patterns import Call
from continuo.stores.database import Database
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid, Settlement
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.testing.processes import Control

CALL = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "sim-openai",
    "priority": "standard",
    "pattern": "other",
}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def database(environ: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Database]:
    database = open_store(Settings(data=tmp_path), environment())
    yield database
    await database.aclose()


def settlement(model: str) -> Settlement:
    record = CallRecord(
        path="",
        model=model,
        provider="sim-openai",
        status="ok",
        usage=Usage(input_tokens=7, output_tokens=3),
        cost_usd=0.5,
    )
    outcome = Outcome(text="Yes.", served_by="model", calls=(record,))
    paid = Paid(record=record, context=Context(tenant="acme", pattern="no such pattern"))
    return Settlement(identity=str(uuid4()), attempt=1, today=datetime.now(UTC).date(), paid=paid, outcome=outcome)


async def test_what_is_settled_twice_is_counted_once(database: Database) -> None:
    labels = {**CALL, "gen_ai_request_model": "sim-narrow"}
    tokens = {**labels, "gen_ai_token_type": "input"}
    before = (
        value("gen_ai_client_token_usage_sum", **tokens),
        value("continuo_call_cost_usd_total", **labels, estimated="false"),
    )
    journal, settled = Journal(database, Meter(Library())), settlement("sim-narrow")
    await journal.settle(settled)
    await journal.settle(settled)
    after = (
        value("gen_ai_client_token_usage_sum", **tokens),
        value("continuo_call_cost_usd_total", **labels, estimated="false"),
    )
    assert after[0] - before[0] == 7
    assert after[1] - before[1] == pytest.approx(0.5)


async def test_a_run_is_counted_when_it_ends_and_not_when_its_row_is_written_again(database: Database) -> None:
    labels = {"pattern": "support", "status": "done", "served_by": "cache", "gen_ai_request_model": "", "tier": ""}
    before = value("continuo_runs_total", **labels)
    runs, now = Runs(database, "here", Meter(Library())), datetime.now(UTC)
    row = RunRow(
        run_id=str(uuid4()),
        workflow_id="w",
        tenant="acme",
        pattern="support",
        kind="call",
        status="running",
        started=now,
    )
    done = row.model_copy(update={"status": "done", "ended": now, "latency_ms": 5.0, "served_by": "cache"})
    for one in (row, done, row, done):
        await runs.keep([one])
    assert value("continuo_runs_total", **labels) - before == 1


def test_what_the_configuration_does_not_name_is_other() -> None:
    meter = Meter(Library())
    before = value("continuo_guardrail_decisions_total", pattern="other", stage="door", action="rejected")
    for number in range(100):
        meter.entered(Entry(event="refused", time=datetime.now(UTC), tenant="acme", pattern=f"made up {number}"))
        meter.booked(Context(pattern=f"model:made up {number}"), CallRecord(path="", model=f"m{number}", status="ok"))
    assert value("continuo_guardrail_decisions_total", pattern="other", stage="door", action="rejected") == before + 100
    labels = {sample.labels.get("pattern") for family in REGISTRY.collect() for sample in family.samples}
    models = {sample.labels.get("gen_ai_request_model") for family in REGISTRY.collect() for sample in family.samples}
    assert not any("made up" in (label or "") for label in labels)
    assert not {f"m{number}" for number in range(100)} & models


async def test_each_request_to_a_provider_is_counted_by_how_it_ended(
    client: Client, worker: None, simulator: Control
) -> None:
    await simulator.behave("sim-mid", outage=1)

    def counted(**labels: Any) -> float:
        labels = {**CALL, "gen_ai_request_model": "sim-mid"} | labels
        return value("gen_ai_client_operation_duration_seconds_count", **labels)

    def retries() -> float:
        return value("continuo_call_retries_total", **CALL, gen_ai_request_model="sim-mid")

    before = counted(error_type=""), counted(error_type="server_error"), retries()
    asked = Request(pattern=Call(model="sim-mid"), prompt="Hello")
    run = await Door(client, Library()).submit(asked, Context(tenant="acme"))
    await run.result()
    after = counted(error_type=""), counted(error_type="server_error"), retries()
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
