"""A request that is sent again finds the run of its first time; who leaves ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from continuo.config.settings import Settings, environment
from continuo.stores.opened import open_store
from continuo.stores.waiters import LEASE
from continuo.testing.processes import Control, kill, until
from tests.support.gateway import GatewayProcess, new_key, served_gateway
from tests.support.world import World

BODY: dict[str, Any] = {"model": "sim-mini", "messages": [{"role": "user", "content": "Where is my order?"}]}
PATH = "/v1/chat/completions"

TwoClients = tuple[GatewayProcess, asyncio.Future[httpx.Response], asyncio.Future[httpx.Response]]


async def asked(http: httpx.AsyncClient, body: dict[str, Any] = BODY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post(PATH, json=body, headers=named)


async def test_a_key_of_idempotency_is_one_run_for_ever_and_takes_no_other_body(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.http(await new_key()) as http:
        first, second = await asyncio.gather(asked(http, Idempotency_Key="k"), asked(http, Idempotency_Key="k"))
        third = await asked(http, Idempotency_Key="k")
        other = await asked(http, {**BODY, "seed": 1}, Idempotency_Key="k")
    assert first.json()["id"] == second.json()["id"] == third.json()["id"]
    assert len(await simulator.calls()) == 1
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert other.headers["x-should-retry"] == "false"


async def test_a_key_of_idempotency_of_one_caller_is_nothing_to_another(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.http(await new_key()) as one, gateway.http(await new_key(tenant="globex")) as other:
        answers = [await asked(http, Idempotency_Key="shared") for http in (one, other)]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert len(await simulator.calls()) == 2


async def test_a_repeated_request_joins_the_run_that_was_not_delivered_and_never_one_that_was(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=1.0)
    async with gateway.http(await new_key()) as http:
        first = asyncio.ensure_future(asked(http))
        await until(lambda: simulator.calls("sim-mini"))
        again = await asked(http, x_stainless_retry_count="1")
        assert (await first).json()["id"] == again.json()["id"]
        assert len(await simulator.calls()) == 1
        new = await asked(http)
        assert new.json()["id"] != again.json()["id"]
        later = await asked(http, x_stainless_retry_count="1")
        assert later.json()["id"] not in (new.json()["id"], again.json()["id"])
    assert len(await simulator.calls()) == 3


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_client_that_leaves_ends_its_call(gateway: GatewayProcess, simulator: Control, stream: bool) -> None:
    await simulator.behave("sim-mini", latency=60)
    async with gateway.http(await new_key()) as http:
        asking = asyncio.ensure_future(asked(http, {**BODY, "stream": stream}))
        await until(lambda: simulator.calls("sim-mini"))
        asking.cancel()
        await asyncio.wait({asking})

    async def disconnected() -> bool:
        [call] = await simulator.calls("sim-mini")
        return bool(call["disconnected"])

    await until(disconnected, timeout=5)


async def counted(number: int) -> None:
    """Return when so many clients wait for the run of the newest request, at all gateways."""
    database = open_store(Settings(), environment())
    sql = "SELECT waiter FROM waiters WHERE request = (SELECT id FROM requests ORDER BY received DESC LIMIT 1)"

    async def waiting() -> bool:
        return len(await database.read(sql)) == number

    try:
        await until(waiting)
    finally:
        await database.aclose()


@asynccontextmanager
async def waited_for_at_two(gateway: GatewayProcess, simulator: Control, log: Path) -> AsyncIterator[TwoClients]:
    """A run that one client waits for at a process of its own, and another one at `gateway`."""
    secret = await new_key()
    async with served_gateway(log) as other, other.http(secret) as there, gateway.http(secret) as here:
        first = asyncio.ensure_future(asked(there))
        await until(lambda: simulator.calls("sim-mini"))
        second = asyncio.ensure_future(asked(here, x_stainless_retry_count="1"))
        await counted(2)
        yield other, first, second


async def test_who_leaves_one_process_ends_no_run_that_is_waited_for_at_another(
    gateway: GatewayProcess, simulator: Control, tmp_path: Path
) -> None:
    await simulator.behave("sim-mini", latency=2)
    async with waited_for_at_two(gateway, simulator, tmp_path / "gateway.log") as (_, first, second):
        first.cancel()
        await counted(1)
        assert (await second).status_code == 200
    assert len(await simulator.calls("sim-mini")) == 1
    await counted(0)


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_who_leaves_ends_a_run_whose_other_client_was_at_a_process_that_was_killed(
    gateway: GatewayProcess, simulator: Control, tmp_path: Path
) -> None:
    await simulator.behave("sim-mini", latency=120)
    async with waited_for_at_two(gateway, simulator, tmp_path / "gateway.log") as (other, first, second):
        await kill(other.child)
        second.cancel()
        await asyncio.wait({first, second})

    async def disconnected() -> bool:
        [call] = await simulator.calls("sim-mini")
        return bool(call["disconnected"])

    await until(disconnected, timeout=LEASE * 4)


async def test_a_request_that_is_repeated_while_its_run_is_cancelled_is_run_anew(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=60)
    async with gateway.http(await new_key()) as http:
        asking = asyncio.ensure_future(asked(http))
        await until(lambda: simulator.calls("sim-mini"))
        await simulator.behave("sim-mini", latency=0)
        asking.cancel()
        await counted(0)
        again = await asked(http, x_stainless_retry_count="1")
    assert (again.status_code, len(await simulator.calls("sim-mini"))) == (200, 2)


async def test_twenty_requests_are_answered_once_each_though_the_gateway_is_killed(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=3)
    async with gateway.openai(await new_key()) as client:

        async def ask(number: int, stream: bool) -> str:
            messages: Any = [{"role": "user", "content": f"number {number}"}]
            if not stream:
                completion = await client.chat.completions.create(model="sim-mini", messages=messages)
                return completion.choices[0].message.content or ""
            chunks = await client.chat.completions.create(model="sim-mini", messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

        asking = [asyncio.ensure_future(ask(number, number % 2 == 1)) for number in range(20)]

        async def all_under_way() -> bool:
            return len(await simulator.calls("sim-mini")) == 20

        await until(all_under_way)
        await kill(gateway.child)
        await gateway.child.start()
        answers = await asyncio.gather(*asking)
    assert [answer != "" for answer in answers] == [True] * 20
    assert len(await simulator.calls("sim-mini")) == 20


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_place_of_a_key_is_given_back_however_its_request_ends(
    gateway: GatewayProcess, simulator: Control, stream: bool
) -> None:
    async with gateway.http(await new_key(concurrency=1)) as http:
        body = {**BODY, "stream": stream}
        assert (await asked(http, body)).status_code == 200
        await simulator.behave("sim-mini", status=400)
        assert (await asked(http, body)).status_code == 400
        await simulator.behave("sim-mini", latency=60)
        asking = asyncio.ensure_future(asked(http, body))

        async def third() -> bool:
            return len(await simulator.calls("sim-mini")) == 3

        await until(third)
        assert (await asked(http, body)).status_code == 429
        asking.cancel()
        await asyncio.wait({asking})
        await simulator.behave("sim-mini", latency=0)

        async def admitted() -> bool:
            return (await asked(http, body)).status_code == 200

        await until(admitted, timeout=5, every=0.2)


@pytest.mark.chaos
async def test_without_temporal_the_answer_is_to_come_again_soon(world: World, tmp_path: Path) -> None:
    async with served_gateway(tmp_path / "gateway.log") as gateway, gateway.openai(max_retries=0) as client:
        await kill(world.temporal.child)
        with pytest.raises(openai.InternalServerError) as refused:
            await client.chat.completions.create(**BODY)
        assert refused.value.response.headers["x-should-retry"] == "true"
        async with gateway.http() as http:
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["away"]) == (503, ["temporal"])
            assert (await http.get("/healthz")).status_code == 200
