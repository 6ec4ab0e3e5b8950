"""Keys that change while a process runs: they are read again every few minutes, and at once on SIGHUP."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from temporalio.client import Client

from continuo.config.environment import Environment
from continuo.config.settings import environment
from continuo.protection.masking import API_KEY

log = structlog.get_logger()

PAUSE = 1.0
"""Seconds after which keys may be read again."""


class Terminal:
    """Where this process was started. SIGHUP also says that it was closed, of which `nohup` wants to hear nothing."""

    def __init__(self) -> None:
        self._terminal: int | None = None
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            with suppress(OSError):
                self._terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)

    @property
    def closed(self) -> bool:
        if self._terminal is None:
            return False
        try:
            os.tcgetpgrp(self._terminal)
        except OSError:
            return True
        return False

    def close(self) -> None:
        if self._terminal is not None:
            os.close(self._terminal)


@asynccontextmanager
async def refreshing(every: float, client: Client | None = None) -> AsyncIterator[None]:
    """Inside, what files and commands say of keys is read again after `every` so many seconds, and on SIGHUP, which
    ends the process as SIGTERM does where it comes from a terminal that was closed. The client has its key anew too.
    """
    hung_up, terminal, loop = asyncio.Event(), Terminal(), asyncio.get_running_loop()

    def hang_up() -> None:
        if terminal.closed:
            signal.raise_signal(signal.SIGTERM)
        hung_up.set()

    # Others cannot take signals.
    main = threading.current_thread() is threading.main_thread()
    if main:
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    task = asyncio.create_task(_refresh(environment(), every, hung_up, client))
    try:
        yield
    finally:
        task.cancel()
        if main:
            loop.remove_signal_handler(signal.SIGHUP)
        terminal.close()


async def _refresh(environ: Environment, every: float, hung_up: asyncio.Event, client: Client | None) -> None:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await hung_up.wait()
        by_hand = hung_up.is_set()
        hung_up.clear()
        try:
            await asyncio.to_thread(environ.read_again)
            if client is not None and (key := environ.get(API_KEY)) and key != client.api_key:
                client.api_key = key
            if by_hand:
                log.info("keys were read again")
        except Exception as error:
            log.error("keys cannot be read again", exc_info=error)
        # However often it is told.
        await asyncio.sleep(PAUSE)
