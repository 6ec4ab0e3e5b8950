"""What a person sees of a run: the answer on stdout, everything else on stderr."""

import json as jsonlib

from temporalio.client import Client

from continuo.jobs import Failure, Job, Outcome, total_cost
from continuo.messages import Usage
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.live import watch
from continuo.starters.console.money import money
from continuo.starters.console.terminal import SafeConsole
from continuo.starters.launch import Handle, result
from continuo.starters.options import RunOptions

out = SafeConsole(highlight=False)
err = SafeConsole(stderr=True)


async def told(client: Client, handle: Handle, job: Job, address: str, options: RunOptions) -> int:
    """Tell of a run that was started what the options ask for, and return the exit code."""
    if options.detach:
        return _detached(handle, address, json=options.json)
    return await _awaited(client, handle, job, address, json=options.json)


def _detached(handle: Handle, address: str, *, json: bool) -> int:
    """Say where the run is found, and return the exit code."""
    if json:
        ids = {"workflow_id": handle.id, "run_id": handle.first_execution_run_id}
        out.out(jsonlib.dumps(ids))
    else:
        out.print(f"{handle.id} is running; see {address}")
        out.print(f"its outcome: temporal workflow result --workflow-id {handle.id}")
    return 0


async def _awaited(client: Client, handle: Handle, job: Job, address: str, *, json: bool) -> int:
    """Wait for the run, print what it came to, and return the exit code: 0 for an answer, 1 for a failure."""
    try:
        found = await (result(handle) if json else watch(client, handle, job, err))
    except BaseException:
        # Ctrl-C leaves the run alone: that is what durable means.
        err.print(f"{handle.id} goes on without us; see {address}")
        raise
    if json:
        out.out(found.to_json())
    else:
        if isinstance(found, Failure):
            err.print(f"failed: {found.type}: {found.message}")
        else:
            out.out(found.text)
            if found.simulated:
                err.print("(a simulated model answered; set a provider's key to ask a real one)")
        table = runs_table()
        table.add_row(*row(job.context.pattern, found))
        err.print(table)
        err.print(address)
    return 1 if isinstance(found, Failure) else 0


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


def row(name: str, found: Outcome | Failure) -> tuple[str, ...]:
    usage = sum((call.usage for call in found.calls), Usage())
    latency = f"{found.latency_ms / 1000:.2f} s" if isinstance(found, Outcome) and found.latency_ms else "-"
    tokens = f"{usage.input_tokens}/{usage.output_tokens}"
    return name, answered_by(found), tier(found), tokens, money(total_cost(found.calls)), latency


def answered_by(found: Outcome | Failure) -> str:
    """The model or whatever else answered; of a failure its type."""
    return found.type if isinstance(found, Failure) else found.model or found.served_by


def tier(found: Outcome | Failure) -> str:
    return str(found.tier) if isinstance(found, Outcome) and found.tier else "-"
