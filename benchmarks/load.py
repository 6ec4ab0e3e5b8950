"""The case study of customer support under its load: 100,000 requests a day, here at a peak of three times the mean.

Questions come at random times, the popular ones again and again. A model answers in half a second to a second, and one
call in a hundred fails. The costs are at the prices of the simulated models.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Mapping

from rich.table import Table

from benchmarks.costs import QUESTIONS
from benchmarks.stage import Stage
from continuo.authoring.files import load_pattern
from continuo.config.defaults import DEFAULTS
from continuo.jobs import Outcome
from continuo.testing.processes import job

A_DAY = 100_000
PEAK = 3 * A_DAY / 86_400
"""Requests a second."""

DIFFERENT = 300
"""Questions; the n-th most popular is asked 1/n as often as the first. Seven of ten are simple."""

LATENCIES: Mapping[str, float] = {"sim-mini": 0.5, "sim-mid": 0.8, "sim-premium": 1.0}
TOKENS = {"input": 300, "output": 150}


async def load(stage: Stage, *, seconds: float) -> Table:
    """What the case study promises, beside what `seconds` at its peak show."""
    for model, latency in LATENCIES.items():
        await stage.simulator.behave(model, latency=latency, error_rate=0.01, tokens=TOKENS)
    chance = random.Random(1)
    texts = _questions(chance)
    popularity = [1 / rank for rank in range(1, len(texts) + 1)]
    pattern = load_pattern(DEFAULTS / "patterns" / "customer-support.yaml").pattern

    async def ask(text: str) -> tuple[float, Outcome]:
        started = time.perf_counter()
        outcome = await stage.outcome(job(pattern, text))
        return time.perf_counter() - started, outcome

    asking = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        asking.append(asyncio.create_task(ask(chance.choices(texts, popularity)[0])))
        await asyncio.sleep(chance.expovariate(PEAK))
    found = await asyncio.gather(*asking)
    for model in LATENCIES:
        await stage.simulator.delete(f"/_sim/models/{model}")

    outcomes = [outcome for _, outcome in found]
    p95 = statistics.quantiles([latency for latency, _ in found], n=20)[-1]
    answered = sum(not outcome.fallback for outcome in outcomes) / len(outcomes)
    hits = sum(outcome.served_by == "cache" for outcome in outcomes) / len(outcomes)
    month = sum(outcome.cost_usd or 0.0 for outcome in outcomes) / len(outcomes) * A_DAY * 30
    table = Table("customer support", "promised", "seen", title=f"{len(found)} requests in {seconds:.0f} s")
    table.add_row("p95", "< 2 s", f"{p95:.2f} s")
    table.add_row("answered, not by the fixed text", "> 99.9 %", f"{answered:.2%}")
    table.add_row("from the cache", "-", f"{hits:.0%}")
    table.add_row("a month", "< $1,000", f"${month:,.0f}")
    return table


def _questions(chance: random.Random) -> list[str]:
    labels = chance.choices(list(QUESTIONS), [7, 2, 1], k=DIFFERENT)
    return [QUESTIONS[label].format(n=number) for number, label in enumerate(labels)]
