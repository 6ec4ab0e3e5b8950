"""Models with several deployments, on real runs: who is asked, who is set aside, and what is booked."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.client import Client

from continuo.activities.deployments import FORGOTTEN
from continuo.config.settings import Settings, environment
from continuo.jobs import Job, Outcome
from continuo.messages import Message
from continuo.patterns import Call, Retry
from continuo.stores.board import Board
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, failure, job, outcome, until, until_cancelled
from tests.support.stores import ledger

pytestmark = pytest.mark.usefixtures("worker")
QUICK = Retry(initial=0.05)
AILING = Call(model="sim-ailing", retry=QUICK)


async def asked(client: Client, model: str, times: int) -> list[str | None]:
    """Who answered each of so many calls, one after the other."""
    return [(await outcome(client, job(Call(model=model), f"q{n}"))).provider for n in range(times)]


async def breaker(provider: str) -> str:
    database = open_store(Settings(), environment())
    try:
        known = await Board(database).all()
        return known[provider].state if provider in known else "closed"
    finally:
        await database.aclose()


async def booked(found: Outcome) -> list[tuple[Any, ...]]:
    database = open_store(Settings(), environment())
    try:
        rows = [row for row in await ledger(database) if row["identity"].startswith(str(found.run_id))]
    finally:
        await database.aclose()
    return [(row["provider"], row["status"], row["cost_nanousd"]) for row in rows]


async def test_one_that_fails_is_set_aside_by_its_own_breaker_while_another_answers_every_call(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-ailing-1", outage=True)
    await simulator.behave("sim-ailing-2", tokens={"input": 10, "output": 10})
    found: list[Outcome] = []

    async def set_aside() -> bool:
        found.append(await outcome(client, job(AILING)))
        return found[-1].calls[0].attempts == 1

    await until(set_aside)
    assert await breaker("sim-openai/ailing") in ("open", "half_open")
    assert await breaker("sim-openai") == "closed"
    assert {(one.model, one.provider, one.fallback) for one in found} == {("sim-ailing", "sim-openai/well", False)}
    assert len(await simulator.calls("sim-ailing-2")) == len(found)
    assert [await booked(one) for one in found] == [[("sim-openai/well", "ok", 40_000)]] * len(found)
    failures = len(await simulator.calls("sim-ailing-1"))

    async def probed() -> bool:
        once = Call(model="sim-ailing", retry=Retry(attempts=1))
        assert (await outcome(client, job(once))).provider == "sim-openai/well"
        return len(await simulator.calls("sim-ailing-1")) > failures

    # A probe that fails costs its call nothing, not even an attempt.
    await until(probed)
    # It is well again: probes find out, and of calls that come at once none fails because another one probes.
    await simulator.behave("sim-ailing-1")

    async def closed() -> bool:
        answers = await asyncio.gather(*(outcome(client, job(AILING)) for _ in range(5)))
        assert {one.calls[0].attempts for one in answers} == {1}
        return await breaker("sim-openai/ailing") == "closed"

    await until(closed)


async def test_a_retry_goes_to_another_one_and_each_that_was_sent_and_never_answered_is_booked(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-silent-1", latency=20)
    await simulator.behave("sim-silent-2", tokens={"input": 10, "output": 10})
    found = await outcome(client, job(Call(model="sim-silent", timeout=0.3, max_tokens=100, retry=QUICK)))
    assert (found.provider, found.calls[0].attempts) == ("sim-openai/talking", 2)
    lost, own = sorted(await booked(found))
    assert (own, lost[:2]) == (("sim-openai/talking", "ok", 20_000), ("sim-openai/silent", "failed"))
    assert found.cost_usd == pytest.approx((own[2] + lost[2]) / 1e9)


async def test_one_that_cannot_be_reached_or_has_no_key_here_costs_no_answer(
    client: Client, simulator: Control
) -> None:
    for local in (False, True):
        found = await outcome(client, job(Call(model="sim-unreachable", retry=QUICK, local=local)))
        assert (found.provider, found.calls[0].attempts) == ("sim-openai/there", 2)


async def test_what_one_refuses_for_its_key_another_may_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-silent-1", status=401)
    found = await outcome(client, job(Call(model="sim-silent", retry=QUICK)))
    assert (found.provider, found.calls[0].attempts) == ("sim-openai/talking", 2)


async def test_where_all_fail_the_call_fails_with_what_the_last_one_said(client: Client, simulator: Control) -> None:
    for name in ("sim-cheap-1", "sim-cheap-2"):
        await simulator.behave(name, status=503, error_message=f"{name} is on fire")
    found = await failure(client, job(Call(model="sim-cheap", retry=Retry(attempts=2, initial=0.05))))
    assert (found.type, found.message) == ("server_error", "sim-openai/list-price: 503 sim-cheap-1 is on fire")
    assert found.calls[0].provider == "sim-openai/list-price"
    assert [call["model"] for call in await simulator.calls()] == ["sim-cheap-2", "sim-cheap-1"]


async def test_calls_at_once_go_where_the_fewest_are_under_way_for_their_weight(
    client: Client, simulator: Control
) -> None:
    for number in (1, 2, 3):
        await simulator.behave(f"sim-busy-{number}", latency=60)
    handles = await asyncio.gather(*(begin(client, job(Call(model="sim-busy"))) for _ in range(8)))

    async def all_hang() -> bool:
        return len(await simulator.calls()) == 8

    await until(all_hang)
    under_way = Counter(call["model"] for call in await simulator.calls())
    assert under_way == {"sim-busy-1": 2, "sim-busy-2": 2, "sim-busy-3": 4}
    await asyncio.gather(*map(until_cancelled, handles))


async def test_calls_go_where_answers_came_quickest_lately(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-quick-1", latency=0.3)
    await simulator.behave("sim-quick-2")

    async def the_second() -> bool:
        return {*await asked(client, "sim-quick", 3)} == {"sim-openai/quick-2"}

    await until(the_second)
    await simulator.behave("sim-quick-1")
    await simulator.behave("sim-quick-2", latency=0.8)

    async def the_first() -> bool:
        return await asked(client, "sim-quick", 1) == ["sim-openai/quick-1"]

    # Where a slow moment of this machine was measured as its own, until that is forgotten.
    await until(the_first, timeout=FORGOTTEN + 30)


async def test_the_cheapest_one_answers_and_each_is_booked_at_its_own_price(client: Client, simulator: Control) -> None:
    for name in ("sim-cheap-1", "sim-cheap-2"):
        await simulator.behave(name, tokens={"input": 10, "output": 10})
    assert await asked(client, "sim-cheap", 3) == ["sim-openai/discount"] * 3
    await simulator.behave("sim-cheap-2", status=503)
    found = await outcome(client, job(Call(model="sim-cheap", retry=QUICK)))
    assert await booked(found) == [("sim-openai/list-price", "ok", 20_000)]


async def test_where_all_are_full_calls_wait_for_the_one_that_is_free_first(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-crowded", latency=0.2)
    found = await asyncio.gather(*(outcome(client, job(Call(model="sim-crowded"), f"q{n}")) for n in range(4)))
    assert {one.fallback for one in found} == {False}
    assert {one.provider for one in found} == {"sim-openai/crowded-1", "sim-openai/crowded-2"}
    times = [call["time"] for call in await simulator.calls("sim-crowded")]
    assert len(times) == 4
    assert max(sum(begun <= time < begun + 0.2 for begun in times) for time in times) == 2


async def twice(client: Client, first: Job, second: Job) -> str | None:
    """Where one conversation is answered."""
    once, again = [(await outcome(client, turn)).provider for turn in (first, second)]
    assert once == again
    return once


async def test_a_conversation_stays_at_one_deployment_and_many_are_spread(client: Client, simulator: Control) -> None:
    def turns(question: str, count: int) -> Job:
        asking = job(Call(model="sim-sticky"), question)
        said = (Message(role="assistant", content="Yes."), Message(role="user", content="And then?")) * count
        request = asking.request.model_copy(update={"messages": (*asking.request.messages, *said)})
        return asking.model_copy(update={"request": request})

    questions = [f"Question {number}" for number in range(6)]
    found = await asyncio.gather(*(twice(client, turns(one, 0), turns(one, 2)) for one in questions))
    assert {*found} == {"sim-openai/sticky-1", "sim-openai/sticky-2"}


async def test_a_long_prompt_stays_where_cached_tokens_are_cheaper_whatever_the_strategy(
    client: Client, simulator: Control
) -> None:
    """By cost alone all would go to the same one."""
    jobs = [job(Call(model="sim-cheap"), f"{number}: {'Where is my order? ' * 300}") for number in range(6)]
    found = await asyncio.gather(*(twice(client, one, one) for one in jobs))
    assert {*found} == {"sim-openai/list-price", "sim-openai/discount"}
