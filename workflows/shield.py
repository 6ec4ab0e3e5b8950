"""Work that a cancellation must not interrupt."""

import asyncio
from collections.abc import Coroutine

from temporalio import workflow


async def to_the_end(work: Coroutine[None, None, None]) -> None:
    """Run `work` to its end, however often the workflow is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError:
            continue
    task.result()
