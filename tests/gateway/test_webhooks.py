"""The end of a job is told to its webhook, signed, once it can be seen, and until it is taken."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from continuo.activities.poster import Poster
from continuo.activities.webhooks import Webhooks
from continuo.config.settings import Settings, environment
from continuo.door.collecting import collect
from continuo.door.runs import result
from continuo.operations.dead_letters import letter_id
from continuo.operations.webhooks import Notice, event_of
from continuo.patterns import Template
from continuo.protection.webhooks import keys_of, secret_of
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.temporal.failures import failure_of
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, begin, histories, job, kill, until
from continuo.workflows.webhook import WebhookWorkflow
from tests.gateway.test_jobs import PATH, becomes, created
from tests.support.gateway import GatewayProcess, new_key, served_gateway
from tests.support.receiver import receiving
from tests.support.world import World


@pytest.fixture(scope="module")
async def strict_gateway(folder: Path, worker: None) -> AsyncIterator[GatewayProcess]:
    """One whose webhooks go into no network."""
    async with AsyncExitStack() as resources:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTINUO_WEBHOOK_PRIVATE", "0")
            gateway = await resources.enter_async_context(served_gateway(folder / "strict-gateway.log"))
        yield gateway


def telling(client: Client, made: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    """The workflow that tells of the job's end."""
    ours = made["continuo"]
    return client.get_workflow_handle(f"webhook/{ours['workflow_id']}/{ours['run_id']}")


async def reset(client: Client, id: str) -> None:
    """Let the workflow begin again, as an operator does."""
    first_task = 4
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=id),
            workflow_task_finish_event_id=first_task,
            request_id=id,
        )
    )


@pytest.mark.parametrize(
    ("behaviour", "status", "answers"),
    [
        ({}, "completed", ["500 Error", "302 Found\r\nlocation: http://127.0.0.1:1/", "429 Many"]),
        ({"status": 400}, "failed", []),
    ],
    ids=["an answer, taken at the fourth time", "a failure"],
)
async def test_an_end_is_told_until_it_is_taken_by_one_event_and_can_be_seen_then(
    gateway: GatewayProcess,
    simulator: Control,
    client: Client,
    behaviour: dict[str, Any],
    status: str,
    answers: list[str],
) -> None:
    await simulator.behave("sim-mini", **behaviour)
    tenant = f"told-{status}"
    async with receiving(*answers) as receiver, gateway.http(await new_key(tenant)) as http:
        made = await created(http, webhook={"url": receiver.url("/hook?a=b")})
        sent = await receiver.has(len(answers) + 1)
        seen = (await http.get(PATH, params={"status": status})).json()["data"]
        await telling(client, made).result()
    assert [one["id"] for one in seen] == [made["id"]]
    events = [one.unwrapped(tenant) for one in sent]
    assert {(one.type, one.data.id, one.object) for one in events} == {(f"job.{status}", made["id"], "event")}
    assert len({one.id for one in events}) == len({one.body for one in sent}) == 1
    assert [one.path for one in sent] == ["/hook?a=b"] * (len(answers) + 1)


async def test_the_end_of_a_cancelled_job_is_told_too(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=60)
    async with receiving() as receiver, gateway.http() as http:
        made = await created(http, webhook={"url": receiver.url()})
        await until(lambda: simulator.calls("sim-mini"))
        await http.post(f"{PATH}/{made['id']}/cancel")
        [sent] = await receiver.has(1)
    assert sent.unwrapped("acme").type == "job.cancelled"
    await simulator.delete("/_sim/models")


async def test_the_end_of_a_job_that_is_terminated_is_told_once_and_of_one_that_is_reset_nothing(
    gateway: GatewayProcess, simulator: Control, client: Client
) -> None:
    await simulator.behave("sim-mini", latency=60)
    database = open_store(Settings(), environment())
    runs = Runs(database, (await namespace_of(client)).id)
    async with receiving() as receiver, gateway.http() as http:
        ended, begun_anew = [await created(http, webhook={"url": receiver.url()}) for _ in range(2)]

        async def both_called() -> bool:
            return len(await simulator.calls("sim-mini")) == 2

        await until(both_called)
        await reset(client, begun_anew["continuo"]["workflow_id"])
        await client.get_workflow_handle(ended["continuo"]["workflow_id"]).terminate()

        async def told() -> bool:
            await collect(client, runs)
            return bool(receiver.sent)

        await until(told)
        await telling(client, ended).result()
        await collect(client, runs)
        await client.get_workflow_handle(begun_anew["continuo"]["workflow_id"]).cancel()
        events = [sent.unwrapped("acme") for sent in await receiver.has(2)]
    assert [(event.type, event.data.id) for event in events] == [
        ("job.failed", ended["id"]), ("job.cancelled", begun_anew["id"]),
    ]  # fmt: skip
    await simulator.delete("/_sim/models")
    await database.aclose()


async def test_a_job_that_is_run_again_from_its_dead_letter_is_told_of_again(
    gateway: GatewayProcess, simulator: Control, client: Client
) -> None:
    await simulator.behave("sim-mini", status=400)
    async with receiving() as receiver, gateway.http(await new_key("told-again")) as http:
        made = await created(http, webhook={"url": receiver.url()})
        failed = (await becomes(http, made, "failed"))["continuo"]
        await simulator.behave("sim-mini", text="At last.")
        await client.get_workflow_handle(letter_id(failed["workflow_id"], failed["run_id"])).signal("retry")
        assert (await becomes(http, made, "completed"))["result"]["text"] == "At last."
        events = [sent.unwrapped("told-again") for sent in await receiver.has(2)]
        assert [one["id"] for one in (await http.get(PATH)).json()["data"]] == [made["id"]]
    assert {(event.type, event.data.id) for event in events} == {
        (f"job.{how}", made["id"]) for how in ("failed", "completed")
    }
    assert events[0].id != events[1].id


async def test_who_wants_no_more_is_told_no_more(gateway: GatewayProcess, simulator: Control, client: Client) -> None:
    async with receiving("410 Gone") as receiver, gateway.http() as http:
        made = await becomes(http, await created(http, webhook={"url": receiver.url()}), "completed")
        await receiver.has(1)
        assert (await telling(client, made).result())["status"] == 410
    assert len(receiver.sent) == 1


async def test_no_secret_is_in_a_history(gateway: GatewayProcess, simulator: Control, client: Client) -> None:
    async with receiving() as receiver, gateway.http() as http:
        made = await becomes(http, await created(http, webhook={"url": receiver.url()}), "completed")
        await receiver.has(1)
        await telling(client, made).result()
    texts = [history.to_json() async for history in histories(client, made["continuo"]["workflow_id"])]
    [key] = keys_of(environment())
    assert [secret in text for text in texts for secret in (key, secret_of(key, "acme"))] == [False] * 4


async def test_nothing_inside_a_network_is_connected_to(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUO_WEBHOOK_PRIVATE", "0")
    database = open_store(Settings(), environment())
    webhooks = Webhooks(client, Runs(database, "x"), Poster(Settings(), environment()))
    async with receiving() as receiver:
        for host in ("localhost", "127.1"):
            url = f"https://{host}:{receiver.port}/"
            notice = Notice(url=url, subject="job_1", tenant="acme", workflow_id="w", run_id="r")
            with pytest.raises(ApplicationError, match="which is no public address") as refused:
                await ActivityEnvironment().run(webhooks.deliver, notice, event_of(notice, "completed", 0))
            assert not refused.value.non_retryable
    assert receiver.sent == []
    await database.aclose()


async def test_what_nobody_takes_is_a_failed_workflow_in_the_end_and_told_again_when_that_is_reset(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.workflows.webhook.DAY", timedelta(seconds=1))
    run = await begin(client, job(Template(text="Sorry.")))
    await result(run)
    database = open_store(Settings(), environment())
    webhooks = Webhooks(client, Runs(database, "x"), Poster(Settings(), environment()))
    own = Worker(
        client,
        task_queue="impatient",
        workflows=[WebhookWorkflow],
        activities=[webhooks.event, webhooks.deliver],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with receiving(*["500 Error"] * 100) as receiver, own:
        run_id = run.first_execution_run_id
        notice = Notice(url=receiver.url(), subject="job_1", tenant="acme", workflow_id=run.id, run_id=run_id)
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("Webhook", notice, id=notice.id, task_queue="impatient")
        assert failure_of(failed.value).type == "NotDelivered"
        assert "job.completed of job_1 was not delivered within a day: " in str(failed.value.cause)
        receiver.answers.clear()
        await reset(client, notice.id)
        assert (await client.get_workflow_handle(notice.id).result())["status"] == 204
    assert len({one.headers["webhook-id"] for one in receiver.sent}) == 1
    await database.aclose()


@pytest.mark.parametrize("url", ["ftp://hook.example", "https://user:pass@hook.example", "https://hook.example:x"])
async def test_an_address_that_is_told_nothing_is_refused_with_its_field(gateway: GatewayProcess, url: str) -> None:
    async with gateway.http() as http:
        response = await http.post(PATH, json={"model": "sim-mini", "input": "x", "webhook": {"url": url}})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "webhook.url")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2852039166", "[::ffff:10.0.0.1]"])
async def test_a_host_inside_a_network_is_refused_before_anything_runs(
    strict_gateway: GatewayProcess, simulator: Control, host: str
) -> None:
    async with strict_gateway.http() as http:
        body = {"model": "sim-mini", "input": "x", "webhook": {"url": f"https://{host}/hook"}}
        response = await http.post(PATH, json=body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "webhook.url")
    assert "no public address" in response.json()["error"]["message"]
    assert await simulator.calls() == []


@pytest.mark.chaos
async def test_an_end_is_told_once_though_gateway_and_pool_are_killed_between(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTINUO_WEBHOOK_PAUSE", "4")
    pool = await world.pool()
    await world.simulator.behave("sim-mini", latency=1)
    async with (
        receiving("503 Away") as receiver,
        served_gateway(tmp_path / "gateway.log") as gateway,
        gateway.http() as http,
    ):
        made = await created(http, webhook={"url": receiver.url()})
        await kill(gateway.child)
        await receiver.has(1)
        await kill(pool)
        await world.pool()
        first, second = await receiver.has(2)
        await gateway.child.start()
        done = await becomes(http, made, "completed")
        await telling(world.client, done).result()
    assert done["result"]["served_by"] == "model"
    assert first.unwrapped("acme").id == second.unwrapped("acme").id
    assert len(receiver.sent) == 2
    assert len(await world.simulator.calls("sim-mini")) == 1
