"""Leaving a process that has used the Temporal SDK."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process at once with `code`; everything that had to be closed is.

    The SDK's native threads can abort an interpreter that takes itself down, and with it the exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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
