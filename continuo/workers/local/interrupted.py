"""Ctrl-C and SIGTERM as the ordinary end of what runs until then."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """It was ended by this signal."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal


async def until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """What it comes to. Raises `Interrupted` once a signal has cancelled it; a second one changes nothing."""
    task, received = asyncio.ensure_future(work), list[int]()

    def interrupt(number: int) -> None:
        # A second Ctrl-C must not cut short the ending of the processes.
        if not received:
            task.cancel()
        received.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise Interrupted(received[0]) from None
