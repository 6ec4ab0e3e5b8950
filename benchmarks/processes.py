"""What processes use of the machine, as Linux tells it."""

import os
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Seconds of processor time that the process has used."""
    # User and system time in ticks are fields 14 and 15, counted from the name in brackets.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Bytes of memory that the process has."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
