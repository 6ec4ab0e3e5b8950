"""Files that a person names."""

import sys
from contextlib import nullcontext
from pathlib import Path

from continuo.errors import InputError


def read_bytes(path: Path, most: int) -> bytes:
    """The file's content, or its first `most` bytes. Raises `InputError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None


def read_text(path: str | Path, most: int) -> str:
    """The text of a file in UTF-8; `-` is standard input.

    Raises `InputError` for one that cannot be read, that is not UTF-8, or that has over `most` bytes.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise InputError(f"{path} has more than {most:,} bytes; shorten it")
        return content.decode()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8") from None
