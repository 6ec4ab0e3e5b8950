"""How much memory something takes, asked of the system: Python's `tracemalloc`, where threads of other languages run
beside it, ends the process now and then as it stops (python/cpython issue 128679)."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes that a process holds."""
    return _bytes(pid, "VmRSS")


def peak(pid: int) -> int:
    """Bytes that a process has held at most."""
    return _bytes(pid, "VmHWM")


class Growth:
    """By how many bytes this process grew at most since this was made."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # which makes the most that of now
        self._before = resident(os.getpid())

    def most(self) -> int:
        return peak(os.getpid()) - self._before


def size(value: object) -> int:
    """Bytes of a value and of all that it leads to, other than code."""
    seen, waiting = dict[int, object](), [value]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, type | Callable):
            seen[id(one)] = one
            waiting += gc.get_referents(one)
    return sum(map(sys.getsizeof, seen.values()))


def _bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
