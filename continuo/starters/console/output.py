"""What a person sees of a run: the answer on stdout, everything else on stderr."""

import asyncio
import json as jsonlib

from temporalio.client import Client

from continuo.client.following import texts
from continuo.door import Run
from continuo.jobs import Failure, Job, Outcome, total_cost
from continuo.messages import Usage
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.live import watch
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out
from continuo.starters.options import RunOptions


async def show_run(client: Client, run: Run, job: Job, address: str, options: RunOptions) -> int:
    """Tell of a run what the options ask for, and return the exit code."""
    if options.detach:
        return _detached(run, address, json=options.json)
    return await _awaited(client, run, job, address, json=options.json)


def _detached(run: Run, address: str, *, json: bool) -> int:
    """Say where the run is found, and return the exit code."""
    if json:
        out.out(jsonlib.dumps({"workflow_id": run.id, "run_id": run.run_id}))
    else:
        out.print(f"{run.id} is running; see {address}")
        out.print(f"its outcome: temporal workflow result --workflow-id {run.id}")
    return 0


async def _awaited(client: Client, run: Run, job: Job, address: str, *, json: bool) -> int:
    """Wait for the run, print what it came to, and return the exit code: 0 for an answer, 1 for a failure."""
    try:
        if job.stream:
            result = await _streamed(client, run, job)
        else:
            result = await (run.result() if json else watch(client, run, job, err))
    except BaseException:
        # Ctrl-C leaves the run alone: that is what durable means.
        err.print(f"{run.id} goes on without us; see {address}")
        raise
    show_end(job, result, json=json, streamed=job.stream is not None)
    if not json:
        err.print(address)
    return 1 if isinstance(result, Failure) else 0


async def _streamed(client: Client, run: Run, job: Job) -> Outcome | Failure:
    """Print the answer as it comes, and a line for each step that begins or ends; what the run came to."""
    watching = asyncio.create_task(watch(client, run, job, err, lines=True))
    try:
        async for text in texts(run):
            out.out(text, end="")
        out.out("")
        return await watching
    finally:
        watching.cancel()


def show_end(job: Job, result: Outcome | Failure, *, json: bool, streamed: bool = False) -> None:
    """Print what the job came to; of an answer that was `streamed` all else."""
    if json:
        out.out(result.to_json())
        return
    if isinstance(result, Failure):
        err.print(f"failed: {result.type}: {result.message}")
    else:
        if not streamed:
            out.out(result.text)
        if result.simulated:
            err.print("(a simulated model answered; set a provider's key to ask a real one)")
    table = runs_table()
    table.add_row(*row(job.context.pattern, result))
    err.print(table)


def runs_table() -> FittedTable:
    """An empty table of runs; `row` fills it. Tokens are in and out."""
    return FittedTable(
        Column("pattern", rank=1),
        Column("answered by"),
        Column("tier", rank=4),
        Column("tokens", rank=3, number=True),
        Column("cost", number=True),
        Column("latency", rank=2, number=True),
    )


def row(name: str, result: Outcome | Failure) -> tuple[str, ...]:
    usage = sum((call.usage for call in result.calls), Usage())
    latency = f"{result.latency_ms / 1000:.2f} s" if isinstance(result, Outcome) and result.latency_ms else "-"
    tokens = f"{usage.input_tokens}/{usage.output_tokens}"
    return name, answered_by(result), tier(result), tokens, money(total_cost(result.calls)), latency


def answered_by(result: Outcome | Failure) -> str:
    """The model or whatever else answered; of a failure its type."""
    return result.type if isinstance(result, Failure) else result.model or result.served_by


def tier(result: Outcome | Failure) -> str:
    return str(result.tier) if isinstance(result, Outcome) and result.tier else "-"
