"""Several steps at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from itertools import islice

from temporalio import workflow

from continuo.jobs import Failure, Outcome
from continuo.workflows.shield import end

Result = Outcome | Failure

WINDOW = 200
"""Steps at once. So many begin in one workflow task, whose message may have 4 MB: 16 KB for the input of each."""


async def together(
    work: Mapping[str, Callable[[], Coroutine[None, None, Result]]],
    decided: Callable[[Mapping[str, Result]], Awaitable[bool]],
) -> dict[str, Result]:
    """What each came to, in the order of `work`. As soon as `decided`, the rest is cancelled and left out.

    `WINDOW` of them run at once; as one ends, the next begins.
    """
    # Runs of an earlier version began all at once.
    most = WINDOW if len(work) > WINDOW and workflow.patched("window") else len(work)
    waiting = iter(work.items())
    running: dict[asyncio.Task[Result], str] = {}
    results: dict[str, Result] = {}
    try:
        while len(results) < len(work) and not await decided(results):
            for name, begin in islice(waiting, most - len(running)):
                running[asyncio.create_task(begin())] = name
            done, _ = await workflow.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in running if task in done]:
                results[running.pop(task)] = task.result()
    finally:
        # Also when the run itself is cancelled, or a step raised what is no failure.
        await end(running)
    return {name: results[name] for name in work if name in results}
