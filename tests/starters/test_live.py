import asyncio
from io import StringIO

import pytest
from rich.console import Console
from temporalio.client import Client

from continuo import door
from continuo.jobs import Outcome
from continuo.patterns import Agent, AgentTool, Call, Deadline, Ensemble, Fallback, FanOut, Retry, Step, Template
from continuo.patterns.choices import Majority
from continuo.progress import Progress
from continuo.starters.console.live import Run, watch
from continuo.starters.console.run_tree import tree
from continuo.testing.processes import Control, begin, job, until

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
STEP = Fallback(
    steps=(
        Call(model="mini", retry=ONCE),
        Deadline(
            Ensemble(
                members=(Template(text="a"), Template(text="a"), Call(model="premium")), combine=Majority(quorum=2)
            ),
            limit=30,
        ),
        Template(text="never"),
    )
)


def drawn(step: Step, run: Run) -> list[str]:
    text = StringIO()
    Console(file=text, width=100).print(tree(step, run.states, run.calls, levels=9))
    return text.getvalue().splitlines()


async def told(client: Client, step: Step, *, terminal: bool) -> str:
    text = StringIO()
    asked = job(step)
    handle = await begin(client, asked)
    found = await watch(client, door.Run(handle), asked, Console(file=text, force_terminal=terminal, width=100))
    assert isinstance(found, Outcome)
    return text.getvalue()


async def test_off_a_terminal_every_step_is_a_line(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=400)
    await simulator.behave("sim-premium", latency=60)
    lines = (await told(client, STEP, terminal=False)).splitlines()
    ends = [line.split(" (")[0] for line in lines if "running" not in line]
    assert sorted(ends) == sorted(
        ["✗ tier1", "✓ tier2", "✓ tier2.step", "✓ tier2.step.member1", "✓ tier2.step.member2", "⊘ tier2.step.member3"]
    )
    assert not any("never" in line or "tier3" in line for line in lines)


async def test_on_a_terminal_the_whole_pattern_is_a_tree_with_what_was_not_needed(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", status=400)
    await simulator.behave("sim-premium", latency=60)
    asked = job(STEP)
    handle = await begin(client, asked)
    await handle.result()
    run = Run(client, handle.id)
    await run.look()
    marks = [line.strip("│├└─ ").split(": ")[0] for line in drawn(asked.step, run)]
    assert marks == ["fallback", "✗ tier1", "✓ tier2", "✓ step", "✓ member1", "✓ member2", "⊘ member3", "· tier3"]
    assert "\x1b[" in await told(client, Template(text="x"), terminal=True)


async def test_what_runs_shows_its_time_and_what_is_done_its_cost(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", latency=60)
    await simulator.behave("sim-mid", tokens={"input": 1000, "output": 1000})
    step = FanOut(branches={"slow": Call(model="mid") >> Call(model="premium"), "quick": Template(text="x")})
    handle = await begin(client, job(step))
    run = Run(client, handle.id)

    async def asked_for_the_second() -> bool:
        await run.look()
        return "slow.step2" in run.states and run.states["quick"].status == "done"

    await until(asked_for_the_second)
    slow, one, two, quick = drawn(job(step).step, run)[1:]
    assert "… slow: pipeline running" in slow
    assert "✓ step1: sim-mid done" in one
    assert one.endswith("$0.010000")
    assert "… step2: sim-premium running" in two
    assert "✓ quick: template done" in quick
    await handle.cancel()


async def test_of_a_crowd_only_those_that_run_or_failed_are_shown(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400)
    branches: dict[str, Step] = {f"b{number}": Template(text="x") for number in range(20)}
    step = FanOut(branches={**branches, "bad": Call(model="mid", retry=ONCE)}, min_successes=20, inline=True)
    handle = await begin(client, job(step))
    await asyncio.wait_for(handle.result(), 30)
    run = Run(client, handle.id)
    await run.look()
    lines = drawn(job(step).step, run)
    assert len(lines) == 3
    assert "✗ bad: sim-mid failed" in lines[1]
    assert "✓ 20 more done" in lines[2]


async def test_the_tools_of_an_agent_are_shown_with_their_newest_call(client: Client, simulator: Control) -> None:
    look = {"calls": [{"name": "say", "arguments": {"input": "?"}}]}
    await simulator.behave("sim-mid", script=[look, look, {"text": "Done."}])
    inner = Agent(model=Call(model="premium", retry=ONCE))
    tools = {"say": AgentTool(step=Template(text="So be it.")), "expert": AgentTool(step=inner)}
    step = Agent(model=Call(model="mid", retry=ONCE), tools=tools)
    handle = await begin(client, job(step))
    await handle.result()
    run = Run(client, handle.id)
    await run.look()
    assert {"model", "say.1.1", "say.2.1"} <= run.states.keys()
    lines = [line.strip("│├└─ ") for line in drawn(step, run)]
    assert [line.split()[0] for line in lines] == ["agent", "✓", "✓", "·", "·"]
    assert [point.name for point in (await handle.query("progress", result_type=Progress)).checkpoints] == [
        "agent: turn 1: say",
        "agent: turn 2: say",
        "agent: turn 3: an answer",
    ]
