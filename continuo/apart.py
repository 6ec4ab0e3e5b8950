"""Work on a large body, done where the event loop does not wait for it."""

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 64 * 2**10
"""Bytes that are read within some 10 ms, whatever they are."""

# One thread: two that compute would keep the event loop from its turn twice as long, and hold two bodies in memory.
_THREAD = ThreadPoolExecutor(1, "large-bodies")


async def apart(size: int, work: Callable[[], T]) -> T:
    """What `work`, on `size` bytes, returns; above `AT_ONCE` it is done on a thread.

    That helps only where no single step of it is long: a function in C lets no other thread run until it is done.
    """
    if size <= AT_ONCE:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _uncollected, work)


def _uncollected(work: Callable[[], T]) -> T:
    # A collection stops all threads, for longer the more objects there are, and what is read here has no cycles.
    gc.disable()
    try:
        return work()
    finally:
        gc.enable()
