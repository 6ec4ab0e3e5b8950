"""A file, or a folder, that an operator edits while processes run."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from continuo.errors import InputError

T = TypeVar("T")

EVERY = 1.0
"""Seconds between two looks at a file: so late may a change of it take effect."""


class Followed(Generic[T]):
    """What `load` makes of the file at `path`, made anew when the file has changed; for any number of threads."""

    def __init__(self, path: Path, load: Callable[[Path], T]) -> None:
        self._path = path
        self._load = load
        self._lock = Lock()
        self._loaded: tuple[T, object] | None = None
        self._next_look = 0.0

    def current(self, *, at_once: bool = False) -> T:
        """Raises `InputError` for a file that was never right; of one that was, the last right content stays.

        `at_once` looks at the file however short ago the last look was.
        """
        with self._lock:
            now = time.monotonic()
            if self._loaded is None or at_once or now >= self._next_look:
                self._loaded = self._look(self._loaded)
                self._next_look = now + EVERY
            return self._loaded[0]

    async def off_loop(self, *, at_once: bool = False) -> T:
        """The same in an event loop, which no look holds up: it is taken in a thread."""
        if self._loaded is not None and not at_once and time.monotonic() < self._next_look:
            return self._loaded[0]
        return await asyncio.to_thread(lambda: self.current(at_once=at_once))

    def _look(self, before: tuple[T, object] | None) -> tuple[T, object]:
        # Before the file is read: what is written meanwhile is seen by the next look.
        state = _state(self._path)
        if before is not None and before[1] == state:
            return before
        try:
            return self._load(self._path), state
        except InputError as error:
            if before is None:
                raise
            _warn(error)
            return before[0], state


def _state(path: Path) -> object:
    """What changes when a file is written or replaced, or a file of a folder comes or goes."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _warn(error: InputError) -> None:
    # It takes longer to import than a command to start, and most processes never need it.
    import structlog

    structlog.get_logger().warning("a changed file is wrong; what was read before stays", error=str(error))
