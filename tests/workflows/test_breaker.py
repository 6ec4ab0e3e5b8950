"""The breaker of a provider: two worker processes and one provider that fails, all of them real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from continuo.config.catalog import BreakerPolicy
from continuo.config.defaults import DEFAULTS
from continuo.door.runs import result
from continuo.jobs import Failure, Outcome
from continuo.patterns import Call, Fallback, Retry
from continuo.protection.breaker import QUEUE, TYPE, CallEnd, State, workflow_id
from continuo.testing.processes import begin, failure, job, kill, outcome, until
from continuo.workflows.breaker import MOST_SIGNALS, BreakerWorkflow
from tests.support.world import World, made

PROVIDER = "sim-openai"
ONCE = Retry(attempts=1)
ILL = Call(model="sim-mid", retry=ONCE)
WITH_NEXT_TIER = Fallback(steps=(ILL, Call(model="sim-mini", retry=ONCE)))
"""The second tier is another provider's."""


@asynccontextmanager
async def breaking(folder: Path, cool_down: str) -> AsyncIterator[World]:
    """A world of its own, where the breaker of one provider opens after five failures for so long."""
    text = (DEFAULTS / "catalog.toml").read_text(encoding="utf-8")
    line = f'[providers.{PROVIDER}]\nbreaker = {{ cool_down = "{cool_down}" }}'
    catalog = folder / "catalog.toml"
    catalog.write_text(text.replace(f"[providers.{PROVIDER}]", line), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTINUO_CATALOG", str(catalog))
        async with made(folder) as world:
            yield world


def entity(client: Client) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(workflow_id(PROVIDER))


async def known(client: Client) -> State:
    found: State = await entity(client).query("state", result_type=State)
    return found


async def becomes(client: Client, state: str) -> None:
    async def became() -> bool:
        return (await known(client)).state == state

    await until(became)


async def fail(world: World, times: int) -> list[Failure]:
    return [await failure(world.client, job(ILL)) for _ in range(times)]


async def test_what_is_wrong_with_the_request_does_not_count_and_five_failures_open_it_until_two_probes_close_it(
    tmp_path: Path, environ: pytest.MonkeyPatch
) -> None:
    async with breaking(tmp_path, "3s") as world:
        client, simulator = world.client, world.simulator
        await world.pool()
        for status in (400, 401, 403, 404, 422, 429):
            await simulator.behave("sim-mid", status=status)
            assert (await failure(client, job(ILL))).type != "breaker_open"
        await simulator.behave("sim-mid", outage=4)
        await fail(world, 4)
        # An answer ends the row.
        await outcome(client, job(ILL))
        await simulator.delete("/_sim/calls")
        await world.pool("critical")
        await simulator.behave("sim-mid", outage=True)
        # Four failures of one worker, the fifth of the other one.
        await fail(world, 4)
        assert ((await known(client)).state, (await known(client)).failures) == ("closed", 4)
        assert (await failure(client, job(ILL, priority="critical"))).type == "server_error"
        await becomes(client, "open")
        state = await known(client)
        assert (state.health, state.failures) == ("down", 0)
        assert state.why.startswith("5 failures in a row; the last: server_error: sim-openai: 503")

        async def all_know() -> bool:
            found = [await failure(client, job(ILL, priority=one)) for one in ("standard", "critical")]
            return {one.type for one in found} == {"breaker_open"}

        await until(all_know)
        asked = len(await simulator.calls("sim-mid"))
        found = await outcome(client, job(WITH_NEXT_TIER))
        assert (found.tier, found.model) == (2, "sim-mini")
        assert found.reasons[0].startswith("tier 1: breaker_open: sim-openai: its breaker is open until ")
        assert len(await simulator.calls("sim-mid")) == asked

        # Well again, but slow: of many that ask at once, one gets through.
        await becomes(client, "half_open")
        await simulator.behave("sim-mid", latency=1)
        both: tuple[Any, ...] = ("standard", "critical")
        asking = (begin(client, job(WITH_NEXT_TIER, priority=both[n % 2])) for n in range(10))
        answers = await asyncio.gather(*map(result, await asyncio.gather(*asking)))
        tiers = [one.tier or 0 for one in answers if isinstance(one, Outcome)]
        assert sorted(tiers) == [1] + [2] * 9
        assert len(await simulator.calls("sim-mid")) == asked + 1

        async def counted() -> bool:
            return (await known(client)).successes == 1

        await until(counted)
        await outcome(client, job(ILL))
        await becomes(client, "closed")
        assert [one.state for one in (await known(client)).transitions] == ["open", "half_open", "closed"]


@pytest.mark.chaos
async def test_a_restart_of_everything_while_open_keeps_it_open_for_the_rest_of_its_time(
    tmp_path: Path, environ: pytest.MonkeyPatch
) -> None:
    async with breaking(tmp_path, "10m") as world:
        pool = await world.pool()
        await world.simulator.behave("sim-mid", outage=True)
        await fail(world, 5)
        await becomes(world.client, "open")
        before = await known(world.client)
        assert before.until is not None
        await kill(pool)
        await kill(world.temporal.child)
        await world.temporal.start()
        await world.pool()
        await world.simulator.behave("sim-mid")
        assert (await failure(world.client, job(ILL))).type == "breaker_open"
        assert (await known(world.client)).until == before.until


@pytest.mark.usefixtures("worker")
async def test_an_operator_forces_it_open_and_closed_and_resets_it(client: Client) -> None:
    handle = await start(client, "by-hand")
    await handle.signal("force_open", "they told us to")
    assert (await asked(handle)).state == "open"
    assert ((await asked(handle)).until, (await asked(handle)).why) == (None, "forced open: they told us to")
    await handle.signal("force_close")
    for _ in range(9):
        await handle.signal("ended", failed("x"))
    assert ((await asked(handle)).state, (await asked(handle)).why) == ("closed", "forced closed")
    await handle.signal("reset")
    for _ in range(5):
        await handle.signal("ended", failed("x"))
    assert (await asked(handle)).state == "open"
    await handle.signal("force_open", args=["until noon", 0.1])

    async def is_tried_again() -> bool:
        return (await asked(handle)).state == "half_open"

    await until(is_tried_again)
    assert not (await asked(handle)).forced
    await handle.terminate()


@pytest.mark.usefixtures("worker")
async def test_it_continues_as_new_with_its_state(client: Client) -> None:
    handle = await start(client, "long-lived")
    first = (await handle.describe()).run_id
    for _ in range(MOST_SIGNALS - 1):
        await handle.signal("ended", failed("x", of=10**6))
    await handle.signal("force_open")

    async def continued() -> bool:
        return (await handle.describe()).run_id != first

    await until(continued)
    state = await asked(handle)
    assert (state.state, state.forced) == ("open", True)
    await handle.terminate()


async def start(client: Client, provider: str) -> WorkflowHandle[Any, Any]:
    await client.start_workflow(TYPE, State(provider=provider), id=workflow_id(provider), task_queue=QUEUE)
    # Without a run id, so that it is found after it has continued as new.
    return client.get_workflow_handle(workflow_id(provider))


async def asked(handle: WorkflowHandle[Any, Any]) -> State:
    found: State = await handle.query(BreakerWorkflow.state)
    return found


def failed(why: str, *, of: int = 5) -> CallEnd:
    return CallEnd(ended="failed", holder="h", breaker=BreakerPolicy(failures=of), why=why)
