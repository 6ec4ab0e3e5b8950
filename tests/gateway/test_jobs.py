"""Jobs: a run that goes on when its caller has gone, and is asked for by its id."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from continuo.testing.processes import Control, until
from tests.support.gateway import GatewayProcess, new_key

PATH = "/v1/jobs"
BODY: dict[str, Any] = {"model": "sim-mini", "input": "Where is my order?"}


async def created(http: httpx.AsyncClient, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    response = await http.post(PATH, json={**BODY, **fields}, headers=headers)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


async def becomes(http: httpx.AsyncClient, job: dict[str, Any], status: str) -> dict[str, Any]:
    now: dict[str, Any] = {}

    async def became() -> bool:
        nonlocal now
        response = await http.get(job["status_url"])
        assert response.status_code == 200, response.text
        now = response.json()
        return bool(now["status"] == status)

    await until(became)
    return now


async def ids(http: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await http.get(PATH, params=query)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["data"]]


async def test_a_job_is_answered_after_its_caller_was(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.", tokens={"input": 12, "output": 5}, latency=0.5)
    async with gateway.http() as http:
        job = await created(http, metadata={"order": "1042"}, user="ada")
        assert (job["object"], job["result"], job["metadata"]) == ("job", None, {"order": "1042"})
        assert job["status"] in ("queued", "running")
        done = await becomes(http, job, "completed")
    assert (done["result"]["text"], done["result"]["usage"]["output_tokens"]) == ("On its way.", 5)
    assert (done["continuo"]["pattern"], done["continuo"]["served_by"]) == ("model:sim-mini", "model")
    assert (done["error"], done["metadata"], done["id"]) == (None, {"order": "1042"}, job["id"])
    assert done["created_at"] <= done["ended_at"]


async def test_a_job_runs_a_pattern_on_messages_with_parts(gateway: GatewayProcess, simulator: Control) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where is"}, {"type": "text", "text": "my order?"}]},
    ]
    body = {"pattern": "support", "messages": turns, "priority": "standard", "deadline": "5m", "session": "s1"}
    async with gateway.http() as http:
        response = await http.post(PATH, json=body)
        assert response.status_code == 202, response.text
        done = await becomes(http, response.json(), "completed")
    assert done["pattern"] == "support"
    assert "Be brief." in str((await simulator.calls())[0]["body"])


async def test_a_job_acts_on_data(gateway: GatewayProcess, shop: Control) -> None:
    order = {"order_id": "77", "sku": "lamp", "quantity": 1, "amount": 10, "currency": "EUR", "country": "AQ"}
    async with gateway.http() as http:
        response = await http.post(PATH, json={"pattern": "order", "data": order})
        assert response.status_code == 202, response.text
        job = await becomes(http, response.json(), "failed")
    assert job["error"]["type"] == "SagaFailed"
    assert job["error"]["checkpoints"]


async def test_a_failed_job_tells_why_and_what_was_called(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=400, error_message="too much")
    async with gateway.http() as http:
        job = await becomes(http, await created(http), "failed")
    assert (job["error"]["type"], job["error"]["code"]) == ("invalid_request", "invalid_request")
    assert "too much" in job["error"]["message"]
    assert [call["status"] for call in job["error"]["calls"]] == ["failed"]
    assert job["result"] is None


async def test_a_job_is_cancelled_once_and_an_ended_one_never(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=60)
    async with gateway.http() as http:
        job = await created(http)
        await until(lambda: simulator.calls("sim-mini"))
        assert (await http.post(f"{PATH}/{job['id']}/cancel")).status_code == 200
        cancelled = await becomes(http, job, "cancelled")
        assert cancelled["error"]["type"] == "Cancelled"
        again = await http.post(f"{PATH}/{job['id']}/cancel")
        assert (again.status_code, again.json()["status"]) == (200, "cancelled")
        await simulator.behave("sim-mini", latency=0)
        done = await becomes(http, await created(http, seed=1), "completed")
        late = await http.post(f"{PATH}/{done['id']}/cancel")
        assert (late.status_code, late.json()["error"]["code"]) == (409, "job_ended")
        assert late.headers["x-should-retry"] == "false"
    [call, _] = await simulator.calls("sim-mini")
    assert call["disconnected"]


async def test_a_job_is_queued_until_a_pool_takes_it_and_one_that_is_terminated_has_failed(
    gateway: GatewayProcess, client: Client
) -> None:
    # No pool of this priority runs here.
    async with gateway.http(await new_key("jobs-in-a-queue")) as http:
        job = await created(http, priority="batch")
        assert (await becomes(http, job, "queued"))["ended_at"] is None
        assert await ids(http, status="queued") == [job["id"]]
        assert await ids(http, status="running") == []
        await client.get_workflow_handle(job["continuo"]["workflow_id"]).terminate("by hand")
        failed = await becomes(http, job, "failed")
        assert await ids(http, status="failed") == [job["id"]]
    assert failed["error"]["type"] == "TerminatedError"


async def test_a_job_with_a_key_of_idempotency_is_one_however_it_ended(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", status=400)
    headers = {"idempotency-key": "k"}
    async with gateway.http(await new_key()) as http:
        first, second = await asyncio.gather(created(http, headers), created(http, headers))
        await becomes(http, first, "failed")
        third = await created(http, headers)
        assert first["id"] == second["id"] == third["id"]
        assert third["status"] == "failed"
        other = await http.post(PATH, json={**BODY, "seed": 1}, headers=headers)
        assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
        another = await becomes(http, await created(http), "failed")
        assert another["id"] != first["id"]
    assert len(await simulator.calls()) == 2


async def test_another_tenants_job_is_not_there(gateway: GatewayProcess, simulator: Control) -> None:
    tenant, other = "jobs-of-one", "jobs-of-another"
    async with gateway.http(await new_key(tenant)) as mine, gateway.http(await new_key(other)) as theirs:
        job = await becomes(mine, await created(mine), "completed")
        answers = [
            await theirs.get(f"{PATH}/{job['id']}"),
            await theirs.post(f"{PATH}/{job['id']}/cancel"),
            await theirs.get(PATH, params={"after": job["id"]}),
            await mine.get(f"{PATH}/job_{'0' * 32}"),
            await mine.get(f"{PATH}/x%00y"),
        ]
        assert [(one.status_code, one.json()["error"]["code"]) for one in answers] == [(404, "job_not_found")] * 5
        assert await ids(theirs) == []
        async with gateway.http(await new_key(tenant)) as colleague:
            assert await ids(colleague) == [job["id"]]


async def test_jobs_are_listed_in_pages_the_newest_first(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.http(await new_key("jobs-in-pages")) as http:
        jobs = [await becomes(http, await created(http, seed=number), "completed") for number in range(3)]
        await simulator.behave("sim-mini", status=400)
        failed = await becomes(http, await created(http), "failed")
        newest = [failed["id"], *(job["id"] for job in reversed(jobs))]
        assert await ids(http) == newest
        first = (await http.get(PATH, params={"limit": 3})).json()
        assert ([job["id"] for job in first["data"]], first["has_more"]) == (newest[:3], True)
        assert await ids(http, limit=3, after=first["last_id"]) == newest[3:]
        assert await ids(http, status="failed") == newest[:1]
        assert await ids(http, status="completed", limit=1, after=newest[1]) == newest[2:3]
        await simulator.behave("sim-mini", latency=60)
        running = await created(http)
        await becomes(http, running, "running")
        assert await ids(http, status="running") == [running["id"]]
        await http.post(f"{PATH}/{running['id']}/cancel")
        await becomes(http, running, "cancelled")
        await simulator.delete("/_sim/models")


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"model": None}, 400, "pattern: "),
        ({"pattern": "support"}, 400, "model: it excludes pattern"),
        ({"model": None, "pattern": "sim-mini"}, 400, "pattern: 'sim-mini' is a model"),
        ({"model": "nothing"}, 404, "unknown model 'nothing'"),
        ({"input": None}, 400, "input: write a text"),
        ({"input": ""}, 400, "the prompt"),
        ({"messages": [{"role": "user", "content": "x"}]}, 400, "input: it excludes messages"),
        ({"priority": "critical"}, 403, "priority: the API key may not use 'critical'"),
        ({"deadline": "soon"}, 400, "deadline: "),
        ({"deadline": -1}, 400, "deadline: "),
        ({"stream": True}, 400, "stream: "),
        ({"metadata": {"a": 1}}, 400, "metadata.a: "),
        ({"metadata": {str(number): "" for number in range(17)}}, 400, "metadata: "),
        ({"user": "x\n"}, 400, "user: "),
        ({"whatever": 1}, 400, "whatever: this field is not taken here"),
    ],
)
async def test_what_cannot_be_a_job_is_refused_by_name(
    gateway: GatewayProcess, simulator: Control, fields: dict[str, Any], status: int, says: str
) -> None:
    async with gateway.http() as http:
        response = await http.post(PATH, json={**BODY, **fields})
    assert response.status_code == status, response.text
    assert says in response.json()["error"]["message"]
    assert await simulator.calls() == []


@pytest.mark.parametrize("host", ["[::1", "a b", "ö", "x" * 300, "", "user@x"])
async def test_any_host_that_a_client_names_is_given_a_job(gateway: GatewayProcess, host: str) -> None:
    body = json.dumps({"model": "sim-mini", "input": "x"})
    async with gateway.http() as http:
        response = await http.post(PATH, content=body, headers={b"host": host.encode()})
    assert response.status_code in (202, 400)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "status=done", "tenant=globex", "after=x"])
async def test_a_list_takes_what_it_knows(gateway: GatewayProcess, query: str) -> None:
    async with gateway.http() as http:
        response = await http.get(f"{PATH}?{query}")
    assert response.status_code in (400, 404)
    assert response.json()["error"]["message"].startswith(f"{query.partition('=')[0]}: ")
