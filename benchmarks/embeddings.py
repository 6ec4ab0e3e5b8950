"""Small embeddings at once, each a call of its provider and in micro-batches."""

import statistics

from rich.table import Table

from benchmarks.configuration import EMBEDDINGS
from benchmarks.measure import Run, Timed, timed
from benchmarks.stage import PROMPT, Stage
from continuo.patterns import Call
from continuo.testing.processes import job

AT_ONCE = 50
LATENCY = 0.05
"""Seconds that the provider takes for a call, however many texts that has."""


async def embeddings(stage: Stage, *, count: int, rounds: int) -> Table:
    """Models take turns in every round."""
    runs = {model: _asking(stage, model) for model in EMBEDDINGS}
    found = {model: Timed() for model in EMBEDDINGS}
    for model, run in runs.items():
        await stage.simulator.behave(model, latency=LATENCY)
        await timed(run, AT_ONCE, at_once=AT_ONCE)  # warm up
    await stage.simulator.delete("/_sim/calls")
    for _ in range(rounds):
        for model, run in runs.items():
            found[model] += await timed(run, count, at_once=AT_ONCE)
    calls = (await stage.simulator.get("/_sim/calls"))["by_model"]
    title = f"embeddings of one text, {AT_ONCE} at once, of a provider that takes {LATENCY * 1000:.0f} ms"
    table = Table("provider", "calls", "texts/s", "median", "texts a call", title=title)
    for model, (provider, made) in EMBEDDINGS.items():
        seen = found[model]
        median = f"{statistics.median(seen.latencies) * 1000:.0f} ms"
        table.add_row(provider, made, f"{seen.rate:.0f}", median, f"{len(seen.latencies) / calls[model]:.1f}")
    return table


def _asking(stage: Stage, model: str) -> Run:
    asked = job(Call(model=model), PROMPT)
    embedding = asked.model_copy(update={"request": asked.request.model_copy(update={"embed": True})})

    async def run() -> object:
        return await stage.outcome(embedding)

    return run
