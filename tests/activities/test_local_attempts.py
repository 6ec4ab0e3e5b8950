"""Temporal counts the attempts of a local activity anew where a worker died."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from continuo.activities.models import ModelCalls
from continuo.activities.settling import Settling
from continuo.config.settings import Settings
from continuo.jobs import CallRecord, Failure, total_cost
from continuo.messages import Usage
from continuo.patterns import Call, Retry
from continuo.stores.budgets import Budgets, Reservation
from continuo.stores.journal import Journal
from continuo.stores.ledger import Paid
from continuo.stores.opened import open_store
from continuo.temporal.activity_options import LOST_WORKERS
from continuo.testing.processes import job


async def test_a_local_call_that_ends_all_its_workers_ends_itself(tmp_path: Path) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, is_local=True, activity_id="7", workflow_run_id="run")
    database = open_store(Settings(data=tmp_path), {})
    journal = Journal(database)
    nobody = cast(Any, None)
    calls = ModelCalls(nobody, nobody, journal, Settling(journal, tmp_path), *[nobody] * 7)
    step = Call(model="sim-mid", local=True, retry=Retry(attempts=1))
    usage = Usage(input_tokens=9, estimated=True)
    lost = CallRecord(path="", model="m", provider="p", status="lost", usage=usage, cost_usd=0.1)
    last = Reservation(
        identity="run/7",
        attempt=1 + LOST_WORKERS,
        tenant="acme",
        day=date(2026, 11, 25),
        usd=0.1,
        expires=9e9,
        paid=Paid(record=lost, context=job(step).context),
    )
    await Budgets(database).reserve(last, limit=None, now=0)
    with pytest.raises(ApplicationError, match="11 attempts have died with their workers, or failed") as raised:
        await environment.run(calls.call, job(step))
    await database.aclose()
    assert raised.value.non_retryable
    failure = Failure.model_validate(raised.value.details[0])
    assert (failure.type, total_cost(failure.calls)) == ("internal_error", 0.1)
