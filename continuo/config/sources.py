"""What stands in no variable itself but is read by its name: the content of a file, or what a command prints."""

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from continuo.errors import InputError

Way = Literal["file", "command"]
WAYS: tuple[Way, ...] = get_args(Way)

PATIENCE = 10.0
"""Seconds that a command may take."""

LARGEST = 64 * 2**10
"""Bytes of a value."""


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Inside, a file that cannot be read, of the variable `what` or called so, is an `InputError`."""
    try:
        yield
    except UnicodeDecodeError:
        raise InputError(f"{what}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise InputError(f"{what}: cannot be read: {error.strerror}; correct the file") from None


class Unread(Exception):
    """A source gives no value just now. The message says why, with nothing of what it holds or prints."""


@dataclass(frozen=True)
class Source:
    """Where a variable has its value from: `text` is what `NAME_FILE` holds, a path, or `NAME_COMMAND`, a program with
    its arguments.

    A path is relative to `folder`, and a command runs there.
    """

    name: str
    way: Way
    text: str
    folder: Path

    @property
    def variable(self) -> str:
        return f"{self.name}_{self.way.upper()}"

    def read(self) -> str:
        """The value, without white space around it.

        Raises `Unread` for what may be otherwise the next time, and `InputError` for what somebody has to correct.
        """
        content = _printed(self._command(), self.folder) if self.way == "command" else self._content()
        if len(content) > LARGEST:
            raise Unread(f"it has more than {LARGEST:,} bytes")
        with readable(self.variable):
            value = content.decode().strip()
        if not value:
            raise Unread("it is empty")
        return value

    def _content(self) -> bytes:
        path = self.folder / self.text
        if not path.is_file():
            raise Unread("there is no such file")
        with readable(self.variable), path.open("rb") as file:
            return file.read(LARGEST + 1)

    def _command(self) -> list[str]:
        try:
            words = shlex.split(self.text)
        except ValueError as error:
            raise InputError(f"{self.variable}: {error}; write a program and its arguments, as for a shell") from None
        if not words:
            raise InputError(f"{self.variable}: it names no program; write a program and its arguments")
        return words


def _printed(command: list[str], folder: Path) -> bytes:
    """What the command prints, which ends with all that it has started."""
    nowhere = subprocess.DEVNULL
    try:
        # What it says on stderr may be a secret that nobody knows yet. It has no terminal, on which it could ask.
        process = subprocess.Popen(
            command, cwd=folder, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise Unread(f"it cannot be started ({type(error).__name__})") from None
    until = time.monotonic() + PATIENCE
    try:
        content = _read(process, until)
        code = process.wait(max(0.0, until - time.monotonic()))
    except (subprocess.TimeoutExpired, TimeoutError):
        raise Unread(f"it takes longer than {PATIENCE:g} s") from None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    if code:
        raise Unread(f"it ends with code {code}")
    return content


def _read(process: "subprocess.Popen[bytes]", until: float) -> bytes:
    """All that it prints, or a little more than it may. Raises `TimeoutError`."""
    assert process.stdout is not None
    content = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(content) <= LARGEST:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            if not (piece := os.read(process.stdout.fileno(), LARGEST)):
                return content
            content += piece
    # It is not read on: what else it prints is dropped with it.
    raise Unread(f"it prints more than {LARGEST:,} bytes")
