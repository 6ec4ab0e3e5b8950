"""An agent beside a loop by hand, and beside pydantic-ai on Temporal in an environment of its own."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from rich.table import Table

from benchmarks.cases import MODEL
from benchmarks.environments import installed
from benchmarks.measure import Run, compared
from benchmarks.stage import PROMPT, Stage
from continuo.config.settings import Settings
from continuo.patterns import Agent, AgentTool, Call
from continuo.testing.processes import running
from continuo.workers.local.processes import Child

VERSION = "2.68.0"
WORKER = Path(__file__).with_name("pydantic_ai_worker.py")

LOOKED_UP = "sim-mini"
"""The model that is the tool."""


async def agents(stage: Stage, *, turns: Sequence[int], rounds: int, singles: int, beside: bool) -> Table:
    """The median a turn, each of which calls one tool but the last one, and the history of one run a turn; with
    `beside` those of pydantic-ai too, which has to be installed."""
    table = Table("turns", "", "median", "a turn", "/ bare", "bytes of history", "a turn")
    table.title = "an agent, one at a time; the tool is a call too"
    await stage.simulator.behave(LOOKED_UP, text="It is on its way, and arrives on Friday. " * 5)
    tool = AgentTool(description="Look it up.", step=Call(model=LOOKED_UP))
    async with AsyncExitStack() as resources:
        others = {f"pydantic-ai {VERSION}": await resources.enter_async_context(_pydantic_ai(stage))} if beside else {}
        for count in turns:
            calls = [{"calls": [{"name": "look_up", "arguments": {"input": PROMPT}}]}] * (count - 1)
            await stage.simulator.behave(MODEL, script=[*calls, {"text": "On Friday."}])
            agent = Agent(model=Call(model=MODEL), tools={"look_up": tool}, turns=count, cost_usd=None)
            bare = stage.bare("BareAgent", MODEL, LOOKED_UP, PROMPT)
            contestants = {"bare": bare, "continuo": stage.continuo(agent), **others}
            await compared(contestants, rounds=1, singles=1, many=0)  # warm up
            figures = await compared(contestants, rounds=rounds, singles=max(2, singles // count), many=0)
            for name, kind in zip(contestants, ("BareAgent", "Agent", "PydanticAiAgent"), strict=False):
                median, size = figures[name].median_ms, await _history(stage, kind)
                ratio = f"{median / figures['bare'].median_ms:.2f}"
                cells = (f"{median:.0f} ms", f"{median / count:.1f} ms", ratio, f"{size:,}", f"{size / count:,.0f}")
                table.add_row(str(count), name, *cells)
    await stage.simulator.delete(f"/_sim/models/{MODEL}")
    await stage.simulator.delete(f"/_sim/models/{LOOKED_UP}")
    return table


async def _history(stage: Stage, kind: str) -> int:
    """Bytes of the newest run of this type."""
    query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Completed'"
    return (await anext(aiter(stage.client.list_workflows(query, limit=1)))).raw_info.history_size_bytes


@asynccontextmanager
async def _pydantic_ai(stage: Stage) -> AsyncIterator[Run]:
    """One run of its agent; inside, its worker lives."""
    programs = await installed(f"pydantic-ai-{VERSION}", (f"pydantic-ai-slim[openai,temporal]=={VERSION}", "httpx"))
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "TEMPORAL_ADDRESS", "CONTINUO_SIM_URL")}
    line = [str(programs / "python"), str(WORKER), MODEL, LOOKED_UP]
    log = Settings().data / "pydantic-ai.log"
    async with running(Child("pydantic-ai", line, log, "pydantic-ai worker ready", environ)):

        async def run() -> object:
            return await stage.client.execute_workflow(
                "PydanticAiAgent", PROMPT, id=f"pydantic-ai-{os.urandom(8).hex()}", task_queue="pydantic-ai"
            )

        yield run
