"""Several processes of a gateway, and the one above them."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from socket import socket

from uvicorn.config import Config
from uvicorn.supervisors import Multiprocess

from continuo.observing.exposition import SHARED
from continuo.temporal.refreshing import Terminal


class Processes(Multiprocess):
    """What they count is counted together, in files of a folder that goes with the last of them."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        # Before it takes the signals.
        self._terminal = Terminal()
        self._counts = tempfile.mkdtemp(prefix="continuo-metrics-")
        os.environ[SHARED] = self._counts
        super().__init__(config, sockets)

    def run(self) -> None:
        try:
            super().run()
        finally:
            shutil.rmtree(self._counts, ignore_errors=True)

    def handle_hup(self) -> None:
        """Have each read its keys again; a terminal that was closed ends them, as SIGTERM does."""
        if self._terminal.closed:
            self.should_exit.set()
        for process in self.processes:
            if process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGHUP)
