"""Several steps at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping

from temporalio import workflow

from continuo.jobs import Failure, Outcome
from workflows.shield import end

Found = Outcome | Failure


async def together(
    work: Mapping[str, Coroutine[None, None, Found]], decided: Callable[[Mapping[str, Found]], Awaitable[bool]]
) -> dict[str, Found]:
    """What each came to, in the order of `work`. As soon as `decided`, the rest is cancelled and left out."""
    tasks = {name: asyncio.create_task(one) for name, one in work.items()}
    waiting = list(tasks.values())
    found: dict[str, Found] = {}
    try:
        while waiting and not await decided(found):
            _, waiting = await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            found = {name: task.result() for name, task in tasks.items() if task.done()}
    finally:
        # Also when the run itself is cancelled, or a step raised what is no failure.
        await end(tasks.values())
    return found
