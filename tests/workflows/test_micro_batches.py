"""Small embedding requests that share a call, on real runs: who gets what, and what each one pays."""

import asyncio
from array import array
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.door.runs import Handle, result
from continuo.jobs import Failure, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.patterns import Cached, Call, Retry, Template
from continuo.patterns.choices import Semantic
from continuo.stores.board import Board
from continuo.stores.database import Row
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, job, kill, until
from tests.support.world import World
from tests.workflows.test_money import agree, rows_of

pytestmark = pytest.mark.usefixtures("worker")

MODEL, NARROW, AILING = "sim-batched-embed", "sim-batched-narrow-embed", "sim-batched-ailing-embed"
DEPLOYED, SOON, PAIR = "sim-batched-deployed-embed", "sim-batched-soon-embed", "sim-batched-pair-embed"
SINGLE = "sim-batched-single-embed"
FULL = 20
"""Texts at which a call waits for no other."""

ONCE = Call(model=MODEL, retry=Retry(attempts=1))


def embedding(texts: Sequence[str], step: Call = ONCE, tenant: str = "default", **parameters: Any) -> Job:
    messages = tuple(Message(role="user", content=text) for text in texts)
    asked = job(step)
    request = ModelRequest(messages=messages, embed=True, **parameters)
    context = asked.context.model_copy(update={"tenant": tenant})
    return asked.model_copy(update={"request": request, "context": context})


def texts(caller: int, count: int) -> list[str]:
    return [f"{caller}/{number}" + "x" * caller for number in range(count)]


def vectors(texts: Sequence[str]) -> dict[str, list[float]]:
    """Of each text another one."""
    return {text: [float(number), *map(float, map(ord, text[:3]))] for number, text in enumerate(texts)}


def given(outcome: Outcome | Failure, count: int) -> list[list[float]]:
    assert isinstance(outcome, Outcome), outcome
    found = list(array("f", b64decode(outcome.embedding or "")))
    size = len(found) // count
    return [found[at * size : (at + 1) * size] for at in range(count)]


async def all_of(client: Client, *jobs: Job) -> list[Handle]:
    return await asyncio.gather(*(begin(client, one) for one in jobs))


async def ends(handles: Sequence[Handle]) -> list[Outcome | Failure]:
    return await asyncio.gather(*map(result, handles))


async def booked(handles: Sequence[Handle]) -> list[Row]:
    """The rows of each run, which has told what they say."""
    found = []
    for handle in handles:
        rows = await rows_of(handle)
        agree(await result(handle), rows)
        found += rows
    return found


async def test_twenty_callers_are_one_call_and_twenty_rows_that_add_up(client: Client, simulator: Control) -> None:
    asked = [texts(caller, 1) for caller in range(FULL)]
    known = vectors([text for one in asked for text in one])
    await simulator.behave(MODEL, embeddings=known, tokens={"input": 1009, "output": 0})
    jobs = (embedding(one, tenant=f"tenant-{caller}") for caller, one in enumerate(asked))
    handles = await all_of(client, *jobs)
    found = await ends(handles)
    assert [given(one, 1) for one in found] == [[known[text] for text in one] for one in asked]
    counts = await simulator.get("/_sim/calls")
    assert (counts["by_model"], counts["inputs"]) == ({MODEL: 1}, {MODEL: FULL})
    rows = await booked(handles)
    assert [row["tenant"] for row in rows] == [f"tenant-{caller}" for caller in range(FULL)]
    assert {row["status"] for row in rows} == {"ok"}
    assert sum(row["input_tokens"] for row in rows) == 1009
    assert sum(row["cost_nanousd"] for row in rows) == round(1009 * 0.123 * 1000)
    # By how long each text is.
    assert rows[0]["input_tokens"] < rows[-1]["input_tokens"]


async def test_what_is_asked_for_otherwise_is_another_call(client: Client, simulator: Control) -> None:
    asked = (embedding(texts(0, FULL // 2), **given) for given in ({}, {"dimensions": 4}, {"user": "a"}) for _ in "12")
    found = await ends(await all_of(client, *asked))
    calls = await simulator.calls(MODEL)
    assert {(call["inputs"], call["body"].get("dimensions"), call["body"].get("user")) for call in calls} == {
        (FULL, None, None), (FULL, None, "a"), (FULL, 4, None)
    }  # fmt: skip
    assert len(calls) == 3
    sizes = [len(given(one, FULL // 2)[0]) for one in found]
    assert sizes == [64, 64, 4, 4, 64, 64]


async def test_what_does_not_fit_any_more_is_the_next_call_and_a_large_request_waits_for_none(
    client: Client, simulator: Control
) -> None:
    asked = [texts(0, FULL + 5), texts(1, FULL - 1), texts(2, FULL - 1), ["y" * 4004]]
    once = Call(model=SOON, retry=Retry(attempts=1))
    handles = await all_of(client, *(embedding(one, once) for one in asked))
    await ends(handles)
    sent = sorted(call["body"]["input"] for call in await simulator.calls(SOON))
    assert sent == sorted(asked)
    await booked(handles)


async def test_a_text_that_is_refused_fails_its_caller_alone(client: Client, simulator: Control) -> None:
    await simulator.behave(MODEL, refuses_text="2/1xx")
    handles = await all_of(client, *(embedding(texts(caller, 4)) for caller in range(5)))
    found = await ends(handles)
    assert [isinstance(one, Failure) and one.type for one in found] == [False, False, "invalid_request", False, False]
    # Of 5 callers those of the bad half, then those of its bad half, and the others of each.
    statuses = [call["status"] for call in await simulator.calls(MODEL)]
    assert statuses.count(400) <= 4
    assert len(statuses) <= 7
    rows = await booked(handles)
    assert [row["status"] for row in rows] == ["ok"] * 4
    assert sum(row["input_tokens"] for row in rows) == sum(
        -(-sum(map(len, call["body"]["input"])) // 4) for call in await simulator.calls(MODEL) if call["answered"]
    )


@pytest.mark.chaos
async def test_halves_of_a_refused_call_wait_for_room_instead_of_meeting_the_bad_text_again(
    client: Client, simulator: Control
) -> None:
    await simulator.behave(SINGLE, refuses_text="2/1xx", latency=0.1)
    once = Call(model=SINGLE, retry=Retry(attempts=1))
    handles = await all_of(client, *(embedding(texts(caller, 4), once) for caller in range(5)))
    found = await ends(handles)
    assert [isinstance(one, Failure) and one.type for one in found] == [False, False, "invalid_request", False, False]
    assert len(await simulator.calls(SINGLE)) <= 7
    await booked(handles)


async def test_a_call_that_fails_fails_once_for_each_caller_and_their_retries_share_one_again(
    client: Client, simulator: Control
) -> None:
    await simulator.behave(MODEL, status=429, outage=1, retry_after_ms=200, tokens={"input": 999, "output": 0})
    twice = ONCE.model_copy(update={"retry": Retry(attempts=2, initial=0.2)})
    handles = await all_of(client, *(embedding(texts(caller, 5), twice) for caller in range(4)))
    found = await ends(handles)
    assert [one.calls[0].attempts for one in found] == [2] * 4
    calls = await simulator.calls(MODEL)
    assert [(call["status"], call["inputs"]) for call in calls] == [(429, FULL), (200, FULL)]
    assert calls[0]["idempotency_key"] != calls[1]["idempotency_key"]
    rows = await booked(handles)
    assert sum(row["input_tokens"] for row in rows) == 999
    assert len(rows) == 4


async def test_an_answer_that_is_none_is_paid_by_all_who_asked_for_it(client: Client, simulator: Control) -> None:
    await simulator.behave(MODEL, embeddings={"0/0": [1.0]}, tokens={"input": 1009, "output": 0})
    handles = await all_of(client, *(embedding(texts(caller, 5)) for caller in range(4)))
    found = await ends(handles)
    assert [isinstance(one, Failure) and one.type for one in found] == ["invalid_response"] * 4
    rows = await booked(handles)
    assert [row["status"] for row in rows] == ["failed"] * 4
    assert sum(row["input_tokens"] for row in rows) == 1009
    assert sum(row["cost_nanousd"] for row in rows) == round(1009 * 0.123 * 1000)


async def test_who_is_cancelled_harms_no_other_and_its_share_is_booked_when_the_answer_comes(
    client: Client, simulator: Control
) -> None:
    await simulator.behave(MODEL, latency=1, tokens={"input": 1009, "output": 0})
    handles = await all_of(client, *(embedding(texts(caller, 5)) for caller in range(4)))
    await until(lambda: simulator.calls(MODEL))
    await handles[1].cancel()
    left = await result(handles[1])
    assert isinstance(left, Failure)
    assert left.type == "Cancelled"
    [row] = await rows_of(handles[1])
    assert (row["status"], row["estimated"]) == ("cancelled", 1)
    agree(left, [row])
    assert [isinstance(one, Outcome) for one in await ends(handles)] == [True, False, True, True]

    async def answered() -> bool:
        return [row["status"] for row in await rows_of(handles[1])] == ["ok"]

    await until(answered)
    rows = [row for handle in handles for row in await rows_of(handle)]
    assert sum(row["input_tokens"] for row in rows) == 1009
    assert not any(row["estimated"] for row in rows)


async def test_a_call_that_all_have_left_is_ended(client: Client, simulator: Control) -> None:
    await simulator.behave(MODEL, latency=60)
    handles = await all_of(client, *(embedding(texts(caller, 10)) for caller in range(2)))
    await until(lambda: simulator.calls(MODEL))
    for handle in handles:
        await handle.cancel()
    await ends(handles)

    async def closed() -> bool:
        return bool((await simulator.calls(MODEL))[0]["disconnected"])

    await until(closed)
    assert [row["status"] for row in await booked(handles)] == ["cancelled"] * 2


async def test_a_call_is_one_request_under_the_limits_and_all_wait_where_there_is_no_room(
    client: Client, simulator: Control
) -> None:
    once = Call(model=NARROW, retry=Retry(attempts=1))
    await simulator.behave(NARROW, latency=0.5)
    handles = await all_of(client, *(embedding(texts(caller, 10), once) for caller in range(4)))
    found = await ends(handles)
    assert [len(given(one, 10)) for one in found] == [10] * 4
    # One at a time, and both requests that the throttle leaves in a minute.
    first, second = sorted(call["time"] for call in await simulator.calls(NARROW))
    assert second - first >= 0.5
    await booked(handles)


@pytest.mark.chaos
async def test_where_one_deployment_has_no_room_the_call_goes_to_another_and_waits_where_none_has(
    client: Client, simulator: Control
) -> None:
    await simulator.behave(DEPLOYED, latency=4)
    once = Call(model=DEPLOYED, retry=Retry(attempts=1))
    # Of other dimensions each, so that none shares a call.
    handles = await all_of(client, *(embedding(["a"], once, dimensions=number) for number in (2, 3, 4)))
    found = await ends(handles)
    assert [len(given(one, 1)[0]) for one in found] == [2, 3, 4]
    rows = [row for handle in handles for row in await rows_of(handle)]
    assert {row["provider"] for row in rows} == {"sim-openai/crowded-embed", "sim-openai/other-embed"}
    first, second, third = sorted(call["time"] for call in await simulator.calls(DEPLOYED))
    assert second - first < 4 <= third - first


async def test_no_money_for_one_is_no_failure_of_the_others(client: Client, simulator: Control) -> None:
    tenants = ("broke", "roomy", "roomy")
    asked = [embedding(texts(caller, 10), tenant=tenant) for caller, tenant in enumerate(tenants)]
    found = await ends(await all_of(client, *asked))
    assert [isinstance(one, Failure) and one.type for one in found] == ["budget_spent", False, False]
    [call] = await simulator.calls(MODEL)
    assert call["inputs"] == FULL


async def test_a_call_that_fails_is_one_failure_to_the_breaker(client: Client, simulator: Control) -> None:
    await simulator.behave(AILING, status=503)
    once = ONCE.model_copy(update={"model": AILING})
    found = await ends(await all_of(client, *(embedding(texts(caller, 5), once) for caller in range(4))))
    assert [isinstance(one, Failure) and one.type for one in found] == ["server_error"] * 4
    database = open_store(Settings(), environment())
    try:
        await until(Board(database).all)
        assert (await Board(database).all())["sim-batched"].failures == 1
    finally:
        await database.aclose()


async def test_questions_that_caches_look_up_by_meaning_share_a_call(client: Client, simulator: Control) -> None:
    step = Cached(step=Template(text="Hello"), semantic=Semantic(model=PAIR))
    handles = await all_of(client, *(job(step, prompt) for prompt in ("Where is it?", "What is it?")))
    assert [isinstance(one, Outcome) for one in await ends(handles)] == [True, True]
    [call] = await simulator.calls(PAIR)
    assert sorted(call["body"]["input"]) == ["What is it?", "Where is it?"]
    await booked(handles)


@pytest.mark.chaos
async def test_each_caller_of_a_call_that_died_with_its_worker_is_answered_and_pays_its_own_share_of_both(
    world: World,
) -> None:
    pool = await world.pool()
    await world.simulator.behave(MODEL, latency=60)
    asked = [texts(caller, 5) for caller in range(4)]
    handles = await all_of(world.client, *map(embedding, asked))
    await until(lambda: world.simulator.calls(MODEL))
    await kill(pool)
    await world.simulator.behave(MODEL, latency=0, tokens={"input": 1009, "output": 0})
    await world.pool()
    found = await ends(handles)
    assert [len(given(one, 5)) for one in found] == [5] * 4
    rows = await booked(handles)
    assert sorted((row["status"], row["estimated"]) for row in rows) == [("lost", 1)] * 4 + [("ok", 0)] * 4
    answered = [call for call in await world.simulator.calls(MODEL) if call["answered"]]
    assert sum(row["input_tokens"] for row in rows if row["status"] == "ok") == 1009 * len(answered)
    lost = [row["input_tokens"] for row in rows if row["status"] == "lost"]
    assert lost == [-(-sum(map(len, one)) // 4) for one in asked]
