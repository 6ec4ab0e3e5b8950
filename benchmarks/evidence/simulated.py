"""The claims that follow from a workload: savings, availability and the load of a case study, on simulated models."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from rich.table import Table

from benchmarks.costs import costs
from benchmarks.evidence.claim import Claim
from benchmarks.load import load
from benchmarks.stage import Stage
from continuo.jobs import Failure, Outcome
from continuo.patterns import Call, Fallback, Step
from continuo.patterns.base import Retry
from continuo.testing.processes import job

SAME_TOKENS = "models at $0.50, $5 and $10, the same tokens for each answer; other questions save other sums"
ONCE = Retry(attempts=1)
QUICK = Retry(initial=0.1, maximum=0.1)
FREE, PAID, RESERVE = (Call(model=f"sim-{name}", retry=ONCE) for name in ("free", "mid", "mini"))
FAILS = 0.08
OUTAGES = (0.03, 0.5)
OVERFLOW = 0.19
SUPPORT = {
    "p95": "p95 under 2 s",
    "answered, not by the fixed text": "99.95 % answered",
    "a month": "$450 a month",
}
"""What is claimed of the case study, by the rows of its load."""


async def simulated(stage: Stage, *, runs: int, seconds: float) -> AsyncIterator[Claim]:
    """Each claim as it has been measured, over so many `runs` each, and so many `seconds` of load."""
    for workload, claimed, measured, *_ in _rows(await costs(stage, tens=max(1, runs // 20))):
        yield Claim(f"{workload}: saves {claimed}", f"{measured} saved", SAME_TOKENS)
    await stage.simulator.behave("sim-mid", error_rate=FAILS, seed=1)
    bare, retried = [
        _answered(await _outcomes(stage, step, runs)) for step in (PAID, Call(model="sim-mid", retry=QUICK))
    ]
    conditions = f"a provider that fails {FAILS:.0%} of the calls by chance; 3 attempts; {runs} runs each"
    yield Claim("retries: 8 % more answers", f"{bare:.1%} without, {retried:.1%} with", conditions)
    for rate in OUTAGES:
        yield await fallback(stage, rate, runs)
    await stage.simulator.behave("sim-mid", error_rate=OVERFLOW, status=429, seed=4)
    ends = await _outcomes(stage, Fallback(steps=(PAID, FREE)), runs)
    free = sum(isinstance(end, Outcome) and end.model == "sim-free" for end in ends) / runs
    conditions = (
        f"a paid model that refuses {OVERFLOW:.0%} of the calls, of equal length: what it refuses is what is saved"
    )
    yield Claim("paid, then free: saves 19 %", f"{free:.1%} saved", conditions)
    await stage.simulator.delete("/_sim/models/sim-mid")
    table = await load(stage, seconds=seconds)
    for what, _, seen in _rows(table):
        if what in SUPPORT:
            conditions = f"100,000 requests a day at a peak of three times the mean, {table.title}"
            yield Claim(f"support platform: {SUPPORT[what]}", seen, conditions)


async def fallback(stage: Stage, rate: float, runs: int) -> Claim:
    """The share of answers where each of two providers fails so often."""
    for seed, call in enumerate((PAID, RESERVE)):
        await stage.simulator.behave(call.model, error_rate=rate, seed=seed)
    share = _answered(await _outcomes(stage, Fallback(steps=(PAID, RESERVE)), runs))
    await stage.simulator.delete(f"/_sim/models/{RESERVE.model}")
    conditions = f"two providers, each fails {rate:.0%} of the calls, independently; no retries; {runs} runs"
    return Claim("fallback: 99.9 % are answered", f"{share:.1%}", conditions)


def _rows(table: Table) -> Sequence[tuple[str, ...]]:
    return list(zip(*(map(str, column.cells) for column in table.columns), strict=True))


async def _outcomes(stage: Stage, step: Step, runs: int) -> list[Outcome | Failure | Exception]:
    """How so many runs end, ten at a time."""
    ends: list[Outcome | Failure | Exception] = []
    for _ in range(runs // 10):
        ten = (stage.outcome(job(step, f"Where is my order {uuid4()}?")) for _ in range(10))
        ends += await asyncio.gather(*ten, return_exceptions=True)
    return ends


def _answered(ends: Sequence[object]) -> float:
    return sum(isinstance(end, Outcome) for end in ends) / len(ends)
