"""What breaker, budget, limits, journal and ledger together add to one call."""

from uuid import uuid4

from rich.table import Table

from benchmarks.configuration import MODEL, TENANT
from benchmarks.measure import Run, compared
from benchmarks.stage import PROMPT, Stage
from benchmarks.unprotected import QUEUE
from continuo.jobs import Job, Outcome
from continuo.patterns import Call
from tests.support import job


async def protections(stage: Stage, *, rounds: int, singles: int, many: int) -> Table:
    """The same call with all of it and with none of it, taking turns."""
    call = job(Call(model=MODEL), PROMPT)
    call = call.model_copy(update={"context": call.context.model_copy(update={"tenant": TENANT})})

    async def unprotected() -> object:
        return await stage.client.execute_workflow(
            "Call", _new(call), id=f"plain-{uuid4()}", task_queue=QUEUE, result_type=Outcome
        )

    async def protected() -> object:
        return await stage.outcome(_new(call))

    contestants: dict[str, Run] = {"without": unprotected, "with": protected}
    await compared(contestants, rounds=1, singles=3, many=min(many, 40))  # warm up
    figures = await compared(contestants, rounds=rounds, singles=singles, many=many)
    bare = figures["without"]
    table = Table(
        "one call", "median", "p95", "runs/s at 20", "added", "throughput", title="aim: 2 ms at most, and 0.95 at least"
    )
    for name, found in figures.items():
        added = (f"{found.median_ms - bare.median_ms:.2f} ms", f"{found.rate / bare.rate:.3f}")
        numbers = (f"{found.median_ms:.1f} ms", f"{found.p95_ms:.1f} ms", f"{found.rate:.0f}")
        table.add_row(f"{name} its protections", *numbers, *(("", "") if found is bare else added))
    return table


def _new(job: Job) -> Job:
    return job.asking(f"{PROMPT} {uuid4()}")
