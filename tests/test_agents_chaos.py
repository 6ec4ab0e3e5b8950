"""Agents that run for long."""

from typing import Any

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.door.agents import transcript
from continuo.patterns import Call, Compaction, Retry
from continuo.testing.processes import Control, begin
from tests.support.own_code import EVENTS
from tests.workflows.test_agent import agent, asked_to, call, own, turn

pytestmark = [pytest.mark.usefixtures("worker", "simulator"), pytest.mark.chaos, pytest.mark.timeout(600)]


async def history_bytes(handle: Any) -> int:
    return int((await handle.describe()).raw_description.workflow_execution_info.history_size_bytes)


async def test_a_hundred_calls_of_tools_at_200_000_tokens_leave_a_history_under_5_mb(
    client: Client, simulator: Control
) -> None:
    text = "All work and no play makes Jack a dull boy. " * 182
    looks = [turn(call("shout", text=f"{number} {text}")) for number in range(50)]
    both = [turn(call("shout", text=f"{number} {text}"), text="More.") for number in range(50, 100)]
    await simulator.behave("sim-mid", script=[*looks, *both, turn(text="Done.")])
    model = Call(model="mid", retry=Retry(attempts=1))
    step = agent(
        model=model, tools={"shout": own("shout")}, turns=101, cost_usd=None, context=Compaction(tokens=1_000_000)
    )
    handle = await begin(client, asked_to(step))
    found = await handle.result()
    assert found.text == "Done."
    read = max(one.usage.input_tokens for one in found.calls)
    size = await history_bytes(handle)
    print(f"{read:,} tokens in the last turn, {size:,} bytes of history")
    assert read > 200_000
    assert size < 5_000_000


async def test_two_thousand_turns_are_one_agent_with_one_account(client: Client, simulator: Control) -> None:
    EVENTS.clear()
    looks = [turn(call("note", event=str(number))) for number in range(1999)]
    await simulator.behave("sim-mid", script=[*looks, turn(text="Done.")])
    model = Call(model="mid", retry=Retry(attempts=1))
    context = Compaction(tokens=300, keep=5)
    tools = {"note": own("note")}
    step = agent(model=model, tools=tools, turns=2_000, calls=2_000, cost_usd=None, context=context)
    handle = await begin(client, asked_to(step))
    found = await handle.result()
    assert (found.text, found.partial) == ("Done.", False)
    assert sum(one.count for one in found.calls) == 2_000
    assert len(await simulator.calls("sim-mid")) == 2_000
    told = await transcript(client, Settings(), handle.id)
    assert len(told.messages) == 1 + 2 * 1999 + 1
    assert [str(number) for number in range(1999)] == EVENTS
    assert await history_bytes(handle) < 5_000_000
