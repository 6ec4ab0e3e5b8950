"""A deployment's server is killed under calls and comes back: every call is answered, and each answer is paid once."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Call, Retry
from continuo.stores.board import Board
from continuo.testing.processes import Control, begin, job, kill, outcome, python, running, until
from tests.support.stores import ledger
from tests.support.world import made

CATALOG = """
[models.placed]
provider = "sim-openai"
price = {{ input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }}
deployments = [
    {{ id = "one", base_url = "{}", breaker = {{ failures = 3, cool_down = "2s" }} }},
    {{ id = "two", base_url = "{}", breaker = {{ failures = 3, cool_down = "2s" }} }},
    {{ id = "three", base_url = "{}", breaker = {{ failures = 3, cool_down = "2s" }} }},
]
"""
ASK = Call(model="placed", retry=Retry(initial=0.1))


@pytest.mark.chaos
async def test_a_killed_deployment_takes_no_call_along_and_is_asked_again_when_it_is_back(
    tmp_path: Path, environ: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        children = [python("continuo.simulator", "--port", "0", ready="http://", log=tmp_path / f"{n}") for n in "123"]
        for child in children:
            await stack.enter_async_context(running(child))
        urls = [child.ready_line for child in children]
        (tmp_path / "catalog.toml").write_text(CATALOG.format(*urls), encoding="utf-8")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("CONTINUO_CATALOG", str(tmp_path / "catalog.toml"))
        world = await stack.enter_async_context(made(tmp_path))
        await world.pool()
        controls = [Control(url) for url in urls]
        for control in controls:
            stack.push_async_callback(control.aclose)
            await control.behave("placed", latency=8)
        handles = await asyncio.gather(*(begin(world.client, job(ASK, f"q{n}")) for n in range(9)))

        async def all_under_way() -> bool:
            return sum([len(await control.calls()) for control in controls]) == 9

        await until(all_under_way)
        await kill(children[0])
        found = await asyncio.gather(*(result(handle) for handle in handles))
        assert {type(one) for one in found} == {Outcome}
        assert {one.provider for one in found if isinstance(one, Outcome)} == {"sim-openai/two", "sim-openai/three"}
        assert sum([len(await control.calls()) for control in controls[1:]]) == 9
        database = world.journal()
        stack.push_async_callback(database.aclose)
        rows = [(row["status"], row["provider"]) for row in await ledger(database)]
        # What was sent there and never answered may have to be paid all the same.
        assert Counter(status for status, _ in rows) == {"ok": 9, "failed": 3}
        assert {provider for status, provider in rows if status == "failed"} == {"sim-openai/one"}

        async def set_aside() -> bool:
            state = (await Board(database).all()).get("sim-openai/one")
            return state is not None and state.state != "closed"

        await until(set_aside)
        again = python("continuo.simulator", "--port", urls[0].rpartition(":")[2], ready="http://", log=tmp_path / "4")
        await stack.enter_async_context(running(again))

        async def well_again() -> bool:
            assert (await outcome(world.client, job(ASK))).calls[0].attempts == 1
            return (await Board(database).all())["sim-openai/one"].state == "closed"

        for control in controls[1:]:
            await control.behave("placed")
        await until(well_again)
        assert await controls[0].calls()
