"""Agents that run for long."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.agents import transcript
from continuo.messages import Message
from continuo.patterns import AgentServer, Call, Compaction, Retry
from continuo.testing.processes import Control, begin, kill
from tests.support.own_code import EVENTS
from tests.support.world import World
from tests.workflows.test_agent import agent, asked_to, call, own, turn

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool may have much to read again before it tells a transcript."""
    monkeypatch.setattr("continuo.door.agents.PATIENCE", timedelta(seconds=90))


RUNS = 5
TURNS = 250
"""So many that an agent continues as new meanwhile."""


def said(messages: Sequence[Message]) -> list[Any]:
    """What was said, without the ids that the model gave its calls."""
    return [(one.role, one.text, [(call.name, call.arguments) for call in one.tool_calls]) for one in messages]


async def test_workers_killed_at_random_moments_do_each_effect_once_and_change_no_transcript(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(0)
    bank = world.folder / "deposits.db"
    monkeypatch.setenv("CONTINUO_TEST_DEPOSITS", str(bank))
    notes = Library().catalog.mcp["notes"].args[-1]
    with closing(sqlite3.connect(notes)) as books:
        # It is the session's.
        books.executescript("DROP TABLE IF EXISTS tries; DROP TABLE IF EXISTS deposits")
    tools = ("deposit", "notes_deposit")
    """One is a function of ours, the other one of a server over stdio, which the worker starts and takes along."""
    amounts = [[(chance.choice(tools), chance.randint(1, 99)) for _ in range(chance.randint(1, 3))] for _ in range(6)]
    looks = [turn(*(call(tool, cents=cents) for tool, cents in several), text="Next.") for several in amounts]
    await world.simulator.behave("sim-mid", script=[*looks, turn(text="Done.")], latency=0.05)
    servers = {"notes": AgentServer(tools=("deposit",), untrusted=False)}
    model = Call(model="mid", retry=Retry(attempts=1))
    step = agent(model=model, tools={"deposit": own("deposit")}, servers=servers)
    pool = await world.pool()
    calm = await begin(world.client, asked_to(step))
    assert (await calm.result()).text == "Done."
    handles = [await begin(world.client, asked_to(step)) for _ in range(RUNS)]
    for _ in range(2):
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        await kill(pool)
        pool = await world.pool()
    found = await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in handles)), 200)
    assert [one.text for one in found] == ["Done."] * RUNS
    every = [await transcript(world.client, Settings(), handle.id) for handle in [calm, *handles]]
    assert [said(one.messages) for one in every[1:]] == [said(every[0].messages)] * RUNS
    effects, tries = list[tuple[str, int]](), 0
    for file in (bank, notes):
        with closing(sqlite3.connect(file)) as books:
            effects += books.execute("SELECT effect, cents FROM deposits").fetchall()
            tries += books.execute("SELECT count(*) FROM tries").fetchone()[0]
    paid = Counter((effect.partition("/")[2], cents) for effect, cents in effects)
    wanted = {
        (f"{tool}.{number}.{position}", cents): RUNS + 1
        for number, several in enumerate(amounts, 1)
        for position, (tool, cents) in enumerate(several, 1)
    }
    assert paid == wanted
    print(f"{tries} tries of {len(effects)} effects")


async def history_bytes(handle: Any) -> int:
    return int((await handle.describe()).raw_description.workflow_execution_info.history_size_bytes)


@pytest.mark.usefixtures("worker")
async def test_calls_of_tools_at_200_000_tokens_leave_a_history_under_5_mb(client: Client, simulator: Control) -> None:
    text = "All work and no play makes Jack a dull boy. " * 910
    looks = [turn(call("shout", text=f"{number} {text}")) for number in range(10)]
    both = [turn(call("shout", text=f"{number} {text}"), text="More.") for number in range(10, 20)]
    await simulator.behave("sim-mid", script=[*looks, *both, turn(text="Done.")])
    model = Call(model="mid", retry=Retry(attempts=1))
    step = agent(
        model=model, tools={"shout": own("shout")}, turns=21, cost_usd=None, context=Compaction(tokens=1_000_000)
    )
    handle = await begin(client, asked_to(step))
    found = await handle.result()
    assert found.text == "Done."
    read = max(one.usage.input_tokens for one in found.calls)
    size = await history_bytes(handle)
    print(f"{read:,} tokens in the last turn, {size:,} bytes of history")
    assert read > 200_000
    assert size < 5_000_000


@pytest.mark.usefixtures("worker")
async def test_turns_beyond_one_history_are_one_agent_with_one_account(client: Client, simulator: Control) -> None:
    EVENTS.clear()
    looks = [turn(call("note", event=str(number))) for number in range(TURNS - 1)]
    await simulator.behave("sim-mid", script=[*looks, turn(text="Done.")])
    model = Call(model="mid", retry=Retry(attempts=1))
    context = Compaction(tokens=300, keep=5)
    tools = {"note": own("note")}
    step = agent(model=model, tools=tools, turns=TURNS, calls=TURNS, cost_usd=None, context=context)
    handle = await begin(client, asked_to(step))
    found = await handle.result()
    assert (found.text, found.partial) == ("Done.", False)
    assert sum(one.count for one in found.calls) == TURNS
    assert len(await simulator.calls("sim-mid")) == TURNS
    told = await transcript(client, Settings(), handle.id)
    assert len(told.messages) == 1 + 2 * (TURNS - 1) + 1
    assert [str(number) for number in range(TURNS - 1)] == EVENTS
    assert (await handle.describe()).run_id != handle.first_execution_run_id
    assert await history_bytes(handle) < 5_000_000
