"""What processes use of the machine, as Linux tells it."""

import os
from collections.abc import Iterator
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Seconds of processor time that the process has used, and those of its children that have ended."""
    # User and system time in ticks are fields 14 and 15, counted from the name in brackets, those of children the next.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Bytes of memory that the process has."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> Iterator[int]:
    """The process and all below it that run."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="utf-8").split():
            yield from family(int(child))
