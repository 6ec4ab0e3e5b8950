"""Ctrl-C and SIGTERM as the ordinary end of what runs until then."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


async def until_interrupted(work: Coroutine[Any, Any, None]) -> bool:
    """Run it to its end, or until a signal cancels it; whether it came to its end. A second signal changes nothing."""
    task, received = asyncio.ensure_future(work), set[int]()

    def interrupt(number: int) -> None:
        # A second Ctrl-C must not cut short the ending of the processes.
        if not received:
            task.cancel()
        received.add(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
        return False
    return True
