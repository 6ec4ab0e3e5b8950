"""Limits of models, on real runs: who waits, and who answers instead."""

import asyncio

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.deltas import TextDelta
from continuo.door.runs import result
from continuo.jobs import WANTED, Failure, Outcome
from continuo.patterns import Call, Retry
from continuo.stores.opened import opened_streams
from continuo.testing.processes import Control, begin, failure, job, outcome, until
from tests.workflows.test_money import agree, rows_of

pytestmark = pytest.mark.usefixtures("worker")


async def test_no_more_calls_run_at_once_than_the_model_has_places_and_all_are_answered(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-narrow", latency=0.2)
    found = await asyncio.gather(*(outcome(client, job(Call(model="sim-narrow"), f"q{n}")) for n in range(6)))
    assert {one.model for one in found} == {"sim-narrow"}
    times = sorted((call["time"], call["time"] + 0.2) for call in await simulator.calls("sim-narrow"))
    assert len(times) == 6
    assert max(sum(begun <= time < ended for begun, ended in times) for time, _ in times) == 2


async def test_from_80_percent_of_a_rate_on_the_cheaper_model_answers(client: Client, simulator: Control) -> None:
    found = [await outcome(client, job(Call(model="sim-throttled"), f"q{n}")) for n in range(10)]
    assert [one.model for one in found] == ["sim-throttled"] * 8 + ["sim-free"] * 2
    assert [one.fallback for one in found] == [False] * 8 + [True] * 2
    assert found[8].reasons == ("sim-throttled: model/sim-throttled has used 8 of 10 requests in 60 s",)
    assert found[8].cost_usd == 0


async def test_a_place_is_free_again_after_a_failure_and_after_a_cancellation(
    client: Client, simulator: Control
) -> None:
    once = Call(model="sim-narrow", retry=Retry(attempts=1))
    await simulator.behave("sim-narrow", status=400)
    for _ in range(3):
        assert (await failure(client, job(once))).type == "invalid_request"
    await simulator.behave("sim-narrow", latency=30)
    hanging = [await begin(client, job(once)) for _ in range(2)]

    async def both_hang() -> bool:
        return len(await simulator.calls("sim-narrow")) == 5

    await until(both_hang)
    for handle in hanging:
        await handle.cancel()
        assert isinstance(await result(handle), Failure)
    await simulator.behave("sim-narrow", latency=0)
    assert (await outcome(client, job(once))).model == "sim-narrow"


async def test_a_call_that_waits_for_a_place_after_a_failure_goes_on_as_the_same_call(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-narrow", fault="empty", tokens={"input": 5, "output": 0})
    step = Call(model="sim-narrow", retry=Retry(attempts=2, initial=1))
    waiting = await begin(client, job(step).model_copy(update={"stream": WANTED}))
    await until(lambda: simulator.calls("sim-narrow"))
    await simulator.behave("sim-narrow", latency=2)
    others = [await begin(client, job(Call(model="sim-narrow"), f"q{n}")) for n in range(2)]
    found = await result(waiting)
    assert isinstance(found, Outcome)
    assert found.calls[0].attempts == 2
    agree(found, await rows_of(waiting))
    assert found.usage is not None
    assert found.usage.input_tokens > 5
    async with opened_streams(Settings(), environment()) as log:
        pieces = await log.read(found.run_id or "", 0)
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == found.text
    for other in others:
        await other.result()
    assert len(await simulator.calls("sim-narrow")) == 4
