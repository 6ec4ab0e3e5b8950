"""The data folder of a local stack: one stack has it at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from continuo.errors import InputError

LOCK = "lock"


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Inside, the folder is there and no other stack uses it: two servers on one SQLite file would take each other's
    runs. Raises `InputError` where another does, or the folder cannot be written."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / LOCK).open("w")
    except OSError as error:
        raise InputError(f"cannot keep data in {data}: {error.strerror}; choose --data DIR") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another stack uses the data in {data}; end it, or choose --data DIR") from None
        yield
