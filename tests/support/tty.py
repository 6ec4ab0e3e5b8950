"""Commands on a terminal of their own."""

import asyncio
import fcntl
import os
import pty
import struct
import termios

from continuo.workers.local.processes import module


async def on_a_terminal(*arguments: str, columns: int = 80, lines: int = 25, **environment: str) -> tuple[int, str]:
    """Run `continuo` with these arguments. Its exit code, and all that it wrote on the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    }
    process = await asyncio.create_subprocess_exec(
        *module("continuo", *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    text = await asyncio.wait_for(asyncio.to_thread(_read, ours), 60)
    os.close(ours)
    return await process.wait(), text.replace("\r\n", "\n")


def _read(terminal: int) -> str:
    """All that comes until nobody has the terminal open."""
    found = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            piece = b""
        if not piece:
            return found.decode()
        found += piece
