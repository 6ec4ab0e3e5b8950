"""What a cancellation must not interrupt, and that none is lost meanwhile."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from temporalio import workflow

from continuo.workflows.run_account import run_account

FOR_GOOD = "cancelled-for-good"
"""The patch without which runs of an earlier version go on as they did where a cancellation was lost."""


def check_cancelled() -> None:
    """Raise the cancellation of this task again, if what it was told to has swallowed it.

    An activity or a child that answers although it is cancelled gives its answer; the task itself still knows.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() and workflow.patched(FOR_GOOD):
        raise asyncio.CancelledError


async def to_the_end(work: Coroutine[Any, Any, object]) -> None:
    """Run `work` to its end, however often the workflow is cancelled meanwhile; then raise the cancellation.

    Where the workflow itself is gone, and its coroutines are collected, there is no end to run to.
    """
    if not workflow.in_workflow():
        work.close()
        return
    task = asyncio.create_task(work)
    held: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError as error:
            held = error
    if held is not None and workflow.patched(FOR_GOOD):
        raise held from task.exception()
    task.result()


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what still runs of `tasks`, and wait until it has cleaned up. What they raise is nobody's concern.

    Where the workflow itself is gone, they are collected as it is.
    """
    if not workflow.in_workflow():
        return
    running = [task for task in tasks if not task.done()]
    run_account().interrupted |= bool(running)
    for task in running:
        task.cancel()
    try:
        if running:
            await to_the_end(workflow.wait(running))
    finally:
        for task in tasks:
            if task.done() and not task.cancelled():
                # Taken, or asyncio logs it as an error.
                task.exception()
