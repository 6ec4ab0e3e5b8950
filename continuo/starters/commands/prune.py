"""`continuo prune`: drop what nothing needs any more, now."""

from typing import Annotated, get_args
from uuid import uuid4

from cyclopts import Parameter
from rich.table import Table

from continuo.errors import InputError
from continuo.operations.pruning import QUEUE, SCHEDULE, TYPE, Part, Pruned, Request
from continuo.starters.console.terminal import err, out


async def prune(
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Drop what is past its retention and needed by nothing, as a pool does once a day.

    Parameters
    ----------
    dry_run
        Only count what would go.
    json
        Print the counts as JSON.
    """
    from temporalio.client import WorkflowFailureError

    from continuo.temporal.connect import connect
    from continuo.temporal.failures import failure_of
    from continuo.temporal.queues import takers

    client = await connect()
    if not await takers(client, QUEUE):
        raise InputError(f"no pool works on the queue {QUEUE}; start one: continuo workers")
    try:
        result: Pruned = await client.execute_workflow(
            TYPE, Request(dry_run=dry_run), id=f"{SCHEDULE}-{uuid4()}", task_queue=QUEUE, result_type=Pruned
        )
    except WorkflowFailureError as error:
        err.print(f"failed: {failure_of(error.cause).message}")
        return 1
    if json:
        out.out(result.model_dump_json(indent=2))
        return 0
    table = Table("store", "would go" if dry_run else "gone")
    for part in get_args(Part):
        table.add_row(part, f"{getattr(result, part):,}")
    out.print(table)
    return 0
