"""Child processes: started, known to be ready, and ended with whoever started them."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

from continuo.errors import InputError

READY_TIMEOUT = 60.0
GRACE = 8.0
"""Seconds between SIGTERM and SIGKILL; a pool gives its activities 5."""

LINE = 300
"""Characters of a log's line that are told: one in JSON can have a whole traceback."""

# Loaded here: between fork and exec a library must not be.
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process. Its output goes to `log`; it is ready when a line of it holds `ready`, or when `ready()` is true,
    within `patience` seconds.

    It inherits the `sockets`, by their numbers here. `ready_line` is the line that told: a server prints its address
    there. The log is of this child alone: the first start empties it, and another one adds to it.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: str | Callable[[], Awaitable[bool]]
    environment: Mapping[str, str]
    sockets: Sequence[socket] = ()
    ready_line: str = ""
    patience: float = READY_TIMEOUT
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start and wait until ready. Raises `InputError` with the last line of the log when it ends instead."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab" if self.process else "wb") as log:
            earlier = log.tell()
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                # Ctrl-C at a terminal reaches the whole group: we end our children ourselves, in order.
                start_new_session=True,
                pass_fds=[one.fileno() for one in self.sockets],
                preexec_fn=die_with_parent,
            )
        try:
            async with asyncio.timeout(self.patience):
                while not await self._is_ready(earlier):
                    if self.process.returncode is not None:
                        raise InputError(f"the {self.name} ended at its start: {self._last_line()} (see {self.log})")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise InputError(f"the {self.name} is not ready after {self.patience:g} s; see {self.log}") from None

    async def ended(self) -> None:
        """Wait until it ends, for whatever reason."""
        assert self.process is not None
        await self.process.wait()

    async def stop(self) -> None:
        """End it, if it was started and still runs."""
        if self.process is not None:
            await end(self.process)

    async def _is_ready(self, earlier: int) -> bool:
        if not isinstance(self.ready, str):
            return await self.ready()
        ready = self.ready
        lines = self.log.read_bytes()[earlier:].decode(errors="replace").splitlines(keepends=True)
        self.ready_line = next((line.strip() for line in lines if ready in line and line.endswith("\n")), "")
        return bool(self.ready_line)

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("error: ")[:LINE] if lines else "it said nothing"


def module(*arguments: str) -> list[str]:
    """The command line that runs a module of ours, and never one that is called the same in the working folder."""
    return [sys.executable, "-P", "-m", *arguments]


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL if it does not listen; a process that has ended is left alone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()


def die_with_parent() -> None:
    """To be called in a child before it becomes what it is to be: on Linux it is killed when its parent dies."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
