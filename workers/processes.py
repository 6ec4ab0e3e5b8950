"""Child processes: started, known to be ready, watched, and ended with whoever started them."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from continuo.errors import InputError

READY_TIMEOUT = 60.0
GRACE = 8.0
"""Seconds between SIGTERM and SIGKILL; a pool gives its activities 5."""

_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process. Its output goes to `log`; it is ready when a line of it holds `ready`, or a port accepts.

    `ready_line` is that line: a server prints its address there.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: str | int
    environment: Mapping[str, str]
    ready_line: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start and wait until ready. Raises `InputError` with the last line of the log when it ends instead."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                # Ctrl-C at a terminal reaches the whole group: we end our children ourselves, in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not await self._is_ready():
                    if self.process.returncode is not None:
                        raise InputError(f"the {self.name} ended at its start: {self._last_line()} (see {self.log})")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise InputError(f"the {self.name} is not ready after {READY_TIMEOUT:g} s; see {self.log}") from None

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL if it does not listen."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), GRACE)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def _is_ready(self) -> bool:
        if isinstance(self.ready, int):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.ready)
            except OSError:
                return False
            writer.close()
            return True
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        self.ready_line = next((line.strip() for line in lines if self.ready in line and line.endswith("\n")), "")
        return bool(self.ready_line)

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("error: ") if lines else "it said nothing"


def _die_with_parent() -> None:
    """On Linux a child is killed when its parent dies, even by SIGKILL; elsewhere it has to be found by hand."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
