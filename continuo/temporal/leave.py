"""Leaving a process that has used the Temporal SDK."""

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process at once with `code`; everything that had to be closed is.

    The SDK's native threads can abort an interpreter that takes itself down, and with it the exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
