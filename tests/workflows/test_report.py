"""Reports by way of Temporal, of what real runs have cost."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from continuo.config.settings import Settings
from continuo.jobs import Job, total_cost
from continuo.operations.reports import Costs
from continuo.patterns import Call, Ensemble, Fallback, Retry, Step
from continuo.testing.processes import Control, failure, job, outcome
from continuo.workers.local.temporal_server import find

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)


def of(tenant: str, step: Step) -> Job:
    asked = job(step)
    return asked.model_copy(update={"context": asked.context.model_copy(update={"tenant": tenant})})


async def report(client: Client, *query: Any) -> Any:
    return await client.execute_workflow("Report", args=query, id=f"report-{uuid4()}", task_queue="standard")


async def test_what_the_runs_tell_they_cost_is_what_the_ledger_says(client: Client, simulator: Control) -> None:
    """A tier that fails for nothing and one that fails and is paid, members that are all paid, a refusal that is."""
    tenant = f"traced-{uuid4()}"
    premium, mid, mini = (Call(model=name, retry=ONCE) for name in ("sim-premium", "sim-mid", "sim-mini"))
    await simulator.behave("sim-premium", status=503)
    await simulator.behave("sim-mini", fault="refusal", tokens={"input": 1000, "output": 7})
    found = [
        await outcome(client, of(tenant, Fallback(steps=(premium, mini, mid)))),
        await outcome(client, of(tenant, Ensemble(members=(mid, mid, Call(model="sim-free"))))),
    ]
    refused = await failure(client, of(tenant, mini))
    costs = [one.cost_usd for one in found] + [total_cost(refused.calls)]
    assert all(costs)
    query = {"kind": "costs", "by": "model", "since": "2026-11-21", "tenant": tenant}
    told = Costs.model_validate(await report(client, query))
    assert told.total.spent_usd == pytest.approx(sum(cost or 0 for cost in costs), abs=1e-9)
    calls = {row.group["model"]: row.calls for row in told.rows}
    assert calls == {"sim-free": 1, "sim-mid": 3, "sim-mini": 2}
    [today] = (await report(client, {"kind": "budget", "tenant": tenant}))["rows"]
    assert (today["spent_usd"], today["reserved_usd"]) == (told.total.spent_usd, 0)


async def test_the_temporal_command_prints_the_rows(simulator: Control) -> None:
    """As docs/operating.md says."""
    temporal = find(Settings().cache)
    assert temporal is not None
    process = await asyncio.create_subprocess_exec(
        *(temporal, "workflow", "execute", "--type", "Report", "--task-queue", "standard", "--output", "json"),
        *("--workflow-id", f"report-{uuid4()}", "--input", '{"kind": "budget"}'),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    rows = {row["tenant"]: row for row in json.loads(out)["result"]["rows"]}
    assert (rows["broke"]["zone"], rows["broke"]["warning"]) == ("Europe/Berlin", "spent")
    assert rows["modest"]["daily_usd"] == 0.1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ((), "kind: Field required; write a report's input, such as"),
        (("costs",), "kind: Field required; write a report's input, such as"),
        (({"kind": "costs", "sincce": "2026-11-21"},), "sincce: Extra inputs are not permitted"),
        (({"kind": "budget", "against": "gpt-6-lunar"},), "did you mean 'gpt-6-luna'?"),
    ],
    ids=str,
)
async def test_wrong_input_fails_at_once_and_says_why(client: Client, query: tuple[object, ...], says: str) -> None:
    with pytest.raises(WorkflowFailureError) as caught:
        await asyncio.wait_for(report(client, *query), 10)
    cause = caught.value.cause
    while isinstance(cause.__cause__, ApplicationError):
        cause = cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert (cause.type, says in cause.message) == ("InputError", True), cause.message
