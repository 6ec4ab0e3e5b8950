"""What routing, caching, cascading and orchestrating save, at the catalog's prices of the simulated models.

The prices are $0.50, $5 and $10 for 1 M tokens; every answer counts the same tokens; the yardstick is all premium.
"""

import asyncio
import json
from collections.abc import Mapping

from pydantic import JsonValue
from rich.table import Table

from benchmarks.stage import Stage
from continuo.patterns import Cached, Call, Cascade, Orchestrate, Route, Step
from continuo.testing.processes import job

TOKENS = {"input": 1_000, "output": 500}
PREMIUM_USD = sum(TOKENS.values()) * 10 / 1e6

QUESTIONS: Mapping[str, str] = {
    "low": "Which lamps are dimmable, number {n}",
    "medium": "Explain the warranty of lamp {n}",
    "high": "Compare the python function {n} to the other? Explain.",
}
MIX = {"low": 7, "medium": 2, "high": 1}
"""Of ten questions, as many as this are of each complexity."""


async def costs(stage: Stage, *, tens: int) -> Table:
    """The savings claimed and measured, on `tens` times ten different questions."""
    table = Table("workload", "claimed", "measured", "calls", "cost", "all premium", title="cost against all premium")
    mini, mid, premium = (Call(model=model) for model in ("sim-mini", "sim-mid", "sim-premium"))
    for call in (mini, mid, premium):
        await stage.simulator.behave(call.model, tokens=TOKENS)
    routed = Route(by="complexity", branches={"low": mini, "medium": mid, "high": premium})
    asked = [QUESTIONS[label].format(n=f"{ten}{n}") for ten in range(tens) for label in MIX for n in range(MIX[label])]
    one = await _spent(stage, routed, asked)
    table.add_row("70/20/10 routed at $0.50/$5/$10", "76.5 %", *_told(one, len(asked)))
    first = await _spent(stage, Cached(routed), asked)
    again = await _spent(stage, Cached(routed), asked)
    both = (first[0] + again[0], first[1] + again[1])
    table.add_row("the same behind a cache, each asked twice", "88 %", *_told(both, 2 * len(asked)))
    total = (0.0, 0)
    # Seven of ten questions are simple: the small model is sure of those alone.
    for confidence, count in ((0.9, MIX["low"] * tens), (0.4, (MIX["medium"] + MIX["high"]) * tens)):
        await stage.simulator.behave("sim-mini", tokens=TOKENS, confidence=confidence)
        spent = await _spent(stage, Cascade(steps=(mini, premium)), asked[:count])
        total = (total[0] + spent[0], total[1] + spent[1])
    table.add_row("cascade of two, 70 % simple questions", "60-80 %", *_told(total, len(asked)))
    table.add_row("200 tokens of plan, 1,800 of free parts", "90 %", *await _orchestrated(stage))
    for call in (mini, mid, premium, Call(model="sim-free")):
        await stage.simulator.delete(f"/_sim/models/{call.model}")
    return table


async def _orchestrated(stage: Stage) -> tuple[str, ...]:
    """One task that a paid model splits in two parts, which a free one does."""
    parts: list[JsonValue] = [
        {"id": name, "instruction": name, "depends_on": [], "task": 1} for name in ("first", "second")
    ]
    plan = json.dumps({"subtasks": parts})
    await stage.simulator.behave("sim-premium", text=plan, tokens={"input": 100, "output": 100})
    await stage.simulator.behave("sim-free", tokens={"input": 450, "output": 450})
    step = Orchestrate(planner=Call(model="sim-premium"), executors=(Call(model="sim-free"),))
    found = await stage.outcome(job(step, QUESTIONS["high"].format(n=1)))
    assert found.orchestration is not None
    assert found.orchestration.saved_usd is not None
    usd, saved = found.cost_usd or 0.0, found.orchestration.saved_usd
    return f"{saved / (saved + usd):.1%}", str(len(found.calls)), f"${usd:.4f}", f"${saved + usd:.4f}"


async def _spent(stage: Stage, step: Step, prompts: list[str]) -> tuple[float, int]:
    """USD and calls that the answers to `prompts` cost, asked ten at a time."""
    found = []
    for start in range(0, len(prompts), 10):
        found += await asyncio.gather(*(stage.outcome(job(step, prompt)) for prompt in prompts[start : start + 10]))
    return sum(one.cost_usd or 0.0 for one in found), sum(len(one.calls) for one in found)


def _told(spent: tuple[float, int], requests: int) -> tuple[str, ...]:
    usd, calls = spent
    premium = requests * PREMIUM_USD
    return f"{1 - usd / premium:.1%}", str(calls), f"${usd:.4f}", f"${premium:.4f}"
