"""What breaker, budget, limits, journal and ledger together add to one call."""

from uuid import uuid4

from rich.table import Table

from benchmarks.configuration import MODEL, TENANT
from benchmarks.measure import Run, compared
from benchmarks.stage import PROMPT, Stage
from benchmarks.unprotected import QUEUE
from continuo.config.settings import Settings
from continuo.jobs import Priority
from continuo.patterns import Call
from continuo.testing.processes import job, python, running


async def protections(stage: Stage, *, rounds: int, singles: int, many: int) -> Table:
    """The same call with all of it and with none of it, each on a worker process of its own, taking turns."""

    def asking(priority: Priority) -> Run:
        call = job(Call(model=MODEL), PROMPT, priority=priority)
        call = call.model_copy(update={"context": call.context.model_copy(update={"tenant": TENANT})})

        async def run() -> object:
            return await stage.outcome(call.asking(f"{PROMPT} {uuid4()}"))

        return run

    contestants = {"without": asking(QUEUE), "with": asking("standard")}
    plain = python("benchmarks.unprotected", ready="unprotected worker ready", log=Settings().data / "unprotected.log")
    async with running(plain):
        await compared(contestants, rounds=1, singles=3, many=min(many, 40))  # warm up
        # One of each in turn: a millisecond would be lost in the machine's moods between two rows of many.
        latencies = await compared(contestants, rounds=rounds * singles, singles=1, many=0)
        rates = await compared(contestants, rounds=rounds, singles=0, many=many)
    bare, bare_rate = latencies["without"], rates["without"].rate
    table = Table(
        "one call", "median", "p95", "runs/s at 20", "added", "throughput", title="aim: 2 ms at most, and 0.95 at least"
    )
    for name, found in latencies.items():
        rate = rates[name].rate
        added = (f"{found.median_ms - bare.median_ms:.2f} ms", f"{rate / bare_rate:.3f}")
        numbers = (f"{found.median_ms:.1f} ms", f"{found.p95_ms:.1f} ms", f"{rate:.0f}")
        table.add_row(f"{name} its protections", *numbers, *(("", "") if found is bare else added))
    return table
