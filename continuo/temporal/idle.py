"""Waiting for the native threads of the Temporal SDK."""

import asyncio
import sys
import threading
from contextlib import suppress


async def native_threads_idle() -> None:
    """Wait, for a second at most, until no thread of the SDK runs Python code any more.

    One that still hands over a result would abort an interpreter that ends meanwhile. Only threads that Python has not
    started count.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            while True:
                if not sys._current_frames().keys() - {thread.ident for thread in threading.enumerate()}:
                    return
                await asyncio.sleep(0.001)
