"""Work that starts processes, run until it ends or somebody ends it."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from continuo.errors import InputError
from continuo.workers.local.interrupted import Interrupted, until_interrupted


def exit_code(work: Coroutine[Any, Any, None]) -> int:
    """Run it. 0 where it has ended, 1 where that is an `InputError`, which is printed, and as shells have it for a
    signal."""
    try:
        asyncio.run(until_interrupted(work))
    except Interrupted as interrupted:
        return 128 + interrupted.signal
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
